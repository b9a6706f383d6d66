/** What a machine's state stands for, worked out once for each state of it. */
import {
  writerOf as open,
  type MachineState,
  type Writer,
} from '../../../src/repository/machine.ts';

export * from '../../../src/repository/machine.ts';

type Known = { readonly chunkIdKeys: MachineState['chunkIdKeys']; readonly writer: Writer };
const writers = new WeakMap<MachineState['writer'], Known>();

export function writerOf(state: MachineState): Writer {
  const known = writers.get(state.writer);
  if (known && known.chunkIdKeys === state.chunkIdKeys) return known.writer;
  const writer = open(state);
  writers.set(state.writer, { chunkIdKeys: state.chunkIdKeys, writer });
  return writer;
}
