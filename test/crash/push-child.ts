/** One push in a process of its own, which ends itself the hard way at one store operation. See kill-real.test.ts. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { push } from '../../src/push/push.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { machineStateSchema, type MachineState } from '../../src/repository/machine.ts';
import { openForWriting } from '../../src/repository/open.ts';
import { openFolderStore } from '../../src/store/folder-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { NO_ABORT, PACK_BYTES, pushSource } from '../support/engine.ts';

const [folder = '', stateFile = '', cacheFolder = '', tree = '', scratch = '', at = '', when = ''] =
  process.argv.slice(2);
const stopAt = Number(at);

let operations = 0;
const store = deadly(await openFolderStore(folder, {}));
const state = machineStateSchema.parse(JSON.parse(readFileSync(stateFile, 'utf8')));
const memory = {
  state,
  async save(changed: MachineState) {
    this.state = changed;
    writeFileSync(`${stateFile}.new`, JSON.stringify(changed));
    renameSync(`${stateFile}.new`, stateFile);
  },
};
const emit = (): void => undefined;
const cache = LocalCache.open(cacheFolder, state.repository, emit);
const repository = await openForWriting(store, memory, cache, emit, NO_ABORT);
await push(
  { source: pushSource('openclaw', [{ tree }]), scratch, packBytes: PACK_BYTES, tool: 'test' },
  { repository, clock: systemClock, random: systemRandom, emit },
  NO_ABORT,
);
cache.close();
process.stdout.write(`${operations}\n`);

/** Kills this process before or after the operation `stopAt`. */
function deadly(inner: ObjectStore): ObjectStore {
  const around = async <T>(work: () => Promise<T>): Promise<T> => {
    const number = ++operations;
    if (number === stopAt && when === 'before') process.kill(process.pid, 'SIGKILL');
    const answer = await work();
    if (number === stopAt && when === 'after') process.kill(process.pid, 'SIGKILL');
    return answer;
  };
  return {
    ...inner,
    put: (...args) => around(() => inner.put(...args)),
    get: (...args) => around(() => inner.get(...args)),
    stat: (...args) => around(() => inner.stat(...args)),
    async *list(prefix, signal) {
      const found = await around(() => Array.fromAsync(inner.list(prefix, signal)));
      yield* found;
    },
  };
}
