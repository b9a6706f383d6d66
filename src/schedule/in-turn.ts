/**
 * Whose turn it is of many installs: machine by machine, and of each machine another one every time. A machine that has
 * ten thousand of them, as a stolen one may pretend, takes no more turns than one that has a single one.
 */
export function inTurn(
  lines: readonly { readonly install: string; readonly machine: string }[],
  turn: number,
): string | undefined {
  const machines = Map.groupBy(lines, ({ machine }) => writerOf(machine));
  const writers = [...machines.keys()].toSorted();
  const own = machines.get(writers[turn % writers.length] ?? '') ?? [];
  const installs = [...new Set(own.map(({ install, machine }) => `${install}@${machine}`))];
  return installs.toSorted()[Math.floor(turn / writers.length) % installs.length];
}

/** A copy is called after another machine too, by the word of the one that made it. */
const writerOf = (machine: string): string => machine.slice(machine.lastIndexOf('~') + 1);
