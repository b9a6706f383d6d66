/** Two things of a snapshot must not land on each other: what rules of the user or another name can bring about. */
import { asBytePath, joinBytes, showPath, type BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { lookAt } from './pieces.ts';
import type { PlacedRoot, Placement } from './placement.ts';

/** @throws target-unsafe */
export async function refuseMeeting({ roots }: Placement, snapshot: SnapshotReader): Promise<void> {
  const targets = new Map<BytePath, PlacedRoot>();
  for (const placed of roots) {
    for (const target of placed.parts.map((part) => part.target)) {
      const other = targets.get(target);
      if (other) throw meet(placed, other, target);
      targets.set(target, placed);
    }
    const outer = placed.parts.length > 0 ? undefined : holderOf(placed, roots);
    if (!outer || isAsBefore(placed, outer)) continue;
    if (placed.to === outer.to && placed.only === undefined) throw meet(placed, outer, placed.to);
    for (const place of placesOf(placed)) {
      if (await holdsIt(outer, place, snapshot)) throw meet(placed, outer, place);
    }
  }
}

/** The root in whose stage it is. */
const holderOf = (placed: PlacedRoot, roots: readonly PlacedRoot[]): PlacedRoot | undefined =>
  roots
    .slice(0, roots.indexOf(placed))
    .findLast((one) => placed.to === one.to || placed.to.startsWith(`${one.to}/`));

/** Where it lay on the old machine too: there it is no part of the outer root, which left it out. */
const isAsBefore = (placed: PlacedRoot, outer: PlacedRoot): boolean =>
  placed.from.startsWith(outer.from) &&
  placed.from.slice(outer.from.length) === placed.to.slice(outer.to.length);

const placesOf = ({ to, only }: PlacedRoot): BytePath[] =>
  only?.map((name) => joinBytes(to, name)) ?? [to];

/** Does the outer root bring something of its own to that place? */
async function holdsIt(
  outer: PlacedRoot,
  place: BytePath,
  snapshot: SnapshotReader,
): Promise<boolean> {
  const rest = asBytePath(place.slice(outer.to.length + 1));
  const path = outer.below === '' ? rest : joinBytes(outer.below, rest);
  if (outer.without.some((one) => path === one || path.startsWith(`${one}/`))) return false;
  return (await lookAt(snapshot, outer.root, path)) !== undefined;
}

const meet = (one: PlacedRoot, other: PlacedRoot, place: BytePath): FerryError =>
  new FerryError(
    'target-unsafe',
    `${showPath(one.from)} and ${showPath(other.from)} would both land on ${showPath(place)}`,
    { hint: 'Nothing was changed. Say where one of them goes: --map OLD=NEW' },
  );
