/** What a walk on another thread found, a batch of entries at a time: columns, since objects take long to copy. */
import type { BytePath } from '../base/byte-path.ts';
import { assert } from '../base/errors.ts';
import type { WalkEntry, WalkItem, WalkType } from '../fs/walk.ts';

export type WalkBatch = {
  /** Of every entry, and '' in the place of anything else. */
  readonly paths: readonly string[];
  /** `SMALL` numbers of each entry. */
  readonly small: Float64Array;
  /** `LARGE` numbers of each entry: times in nanoseconds, and what tells one file from another. */
  readonly large: BigInt64Array;
  readonly linkTargets: ReadonlyMap<number, BytePath>;
  /** Omissions and problems, by their place. */
  readonly others: ReadonlyMap<number, Exclude<WalkItem, WalkEntry>>;
};

const SMALL = 7;
const LARGE = 4;
const TYPES: readonly WalkType[] = ['file', 'dir', 'symlink'];

export function encodeBatch(items: readonly WalkItem[]): WalkBatch {
  const paths: string[] = [];
  const small = new Float64Array(items.length * SMALL);
  const large = new BigInt64Array(items.length * LARGE);
  const linkTargets = new Map<number, BytePath>();
  const others = new Map<number, Exclude<WalkItem, WalkEntry>>();
  for (const [at, item] of items.entries()) {
    if (item.kind !== 'entry') {
      paths.push('');
      others.set(at, item);
      continue;
    }
    paths.push(item.path);
    let place = at * SMALL;
    small[place++] = TYPES.indexOf(item.type);
    small[place++] = item.mode;
    small[place++] = item.uid;
    small[place++] = item.gid;
    small[place++] = item.size;
    small[place++] = item.nlink;
    small[place++] = Number(item.sparse);
    place = at * LARGE;
    large[place++] = item.mtimeNs;
    large[place++] = item.ctimeNs;
    large[place++] = item.ino;
    large[place++] = item.dev;
    if (item.linkTarget !== undefined) linkTargets.set(at, item.linkTarget);
  }
  return { paths, small, large, linkTargets, others };
}

export function* itemsOf(batch: WalkBatch): Generator<WalkItem, void> {
  for (const at of batch.paths.keys()) yield batch.others.get(at) ?? entryAt(batch, at);
}

function entryAt({ paths, small, large, linkTargets }: WalkBatch, at: number): WalkEntry {
  const number = (column: number): number => small[at * SMALL + column] ?? 0;
  const bigint = (column: number): bigint => large[at * LARGE + column] ?? 0n;
  const type = TYPES[number(0)];
  assert(type, 'an entry has a type');
  const linkTarget = linkTargets.get(at);
  return {
    kind: 'entry',
    path: (paths[at] ?? '') as BytePath,
    type,
    mode: number(1),
    uid: number(2),
    gid: number(3),
    size: number(4),
    nlink: number(5),
    sparse: number(6) === 1,
    mtimeNs: bigint(0),
    ctimeNs: bigint(1),
    ino: bigint(2),
    dev: bigint(3),
    ...(linkTarget !== undefined && { linkTarget }),
  };
}
