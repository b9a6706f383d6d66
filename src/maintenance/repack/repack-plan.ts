/** Which packs are worth emptying: those with the least living share first, and no more than the target asks for. */
import type { ListedPack } from '../../format/pack-list.ts';

export type PackLife = {
  readonly name: string;
  readonly pack: ListedPack;
  /** Of its stored bytes, those that a snapshot needs. */
  readonly livingBytes: number;
  /** Old enough, not announced, and all that is said of it agrees. */
  readonly mayGo: boolean;
};

export type RepackLimits = {
  /** Bytes read and stored together, at most. */
  readonly movedBytesMax: number;
  /** What may lie dead in packs that stay, of all that is stored in them. */
  readonly deadShareMax: number;
};

export type RepackChoice = {
  readonly chosen: readonly PackLife[];
  /** Dead before, in all packs that snapshots need, and stored in them. */
  readonly deadBytes: number;
  readonly storedBytes: number;
  readonly readBytes: number;
  /** About what the living of it takes in new packs. */
  readonly writtenBytes: number;
  readonly freedBytes: number;
  /** More would be worth it than the limit lets be moved. */
  readonly isLimited: boolean;
};

export function choosePacks(packs: readonly PackLife[], limits: RepackLimits): RepackChoice {
  const deadOf = ({ pack, livingBytes }: PackLife): number => Math.max(0, pack.size - livingBytes);
  const sum = (of: (one: PackLife) => number): number =>
    packs.reduce((total, one) => total + of(one), 0);
  const [deadBytes, storedBytes] = [sum(deadOf), sum(({ pack }) => pack.size)];
  const chosen: PackLife[] = [];
  let [dead, stored, read, written] = [deadBytes, storedBytes, 0, 0];
  let isLimited = false;
  for (const one of packs.filter(({ mayGo }) => mayGo).toSorted(leastLivingFirst)) {
    // A pack that is fuller than what is aimed at would be moved for nothing.
    const isWorthIt = deadOf(one) > one.pack.size * limits.deadShareMax;
    if (!isWorthIt || dead <= stored * limits.deadShareMax) break;
    if (read + written + one.pack.size + one.livingBytes > limits.movedBytesMax) {
      isLimited = true;
      continue;
    }
    chosen.push(one);
    dead -= deadOf(one);
    stored -= deadOf(one);
    read += one.pack.size;
    written += one.livingBytes;
  }
  return {
    chosen,
    deadBytes,
    storedBytes,
    readBytes: read,
    writtenBytes: written,
    freedBytes: read - written,
    isLimited,
  };
}

const leastLivingFirst = (a: PackLife, b: PackLife): number =>
  a.livingBytes / a.pack.size - b.livingBytes / b.pack.size || (a.name < b.name ? -1 : 1);
