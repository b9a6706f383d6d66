/**
 * Adoption: what a pull has verified need not be stored again by the machine that it landed on. The chunks that were
 * opened and matched their ids, and just those, are remembered with their places; the next push of the same chunk ids
 * takes them for packs of its own. Whatever somebody else's index says is not asked.
 */
import { toHex } from '../base/bytes.ts';
import { blake2b256 } from '../crypto/sodium.ts';
import type { IndexedPack } from '../format/index-object.ts';
import type { WriterId } from '../format/names.ts';
import { bothVouched, vouchedDirectory } from '../format/vouched-directory.ts';
import type { RepositoryCache } from './cache.ts';
import { packName } from './pack-reader.ts';

/** @param verified 1 for each chunk of the pack's directory, in order, that was verified at its place; else 0 */
export type OnVerified = (chunkIdKey: Uint8Array, pack: IndexedPack, verified: Uint8Array) => void;

/** Remembers it in the cache, durably pack by pack: a pull that is killed goes on with the rest. */
export const rememberVerified =
  (cache: RepositoryCache): OnVerified =>
  (chunkIdKey, pack, verified) => {
    if (!verified.includes(1)) return;
    const key = keyName(chunkIdKey);
    const now = vouchedDirectory(pack.directory, verified, packName(pack));
    const before = cache.verifiedPacks(key, pack)[0]?.directory;
    const directory = before && bothVouched(before, now);
    cache.addVerifiedPack(key, { ...pack, directory: directory ?? now });
    cache.flush();
  };

/** What was verified becomes packs that `indexer` knows, to be named in its next index. Answers how many. */
export function adoptVerified(
  cache: RepositoryCache,
  indexer: WriterId,
  chunkIdKey: Uint8Array,
): number {
  const key = keyName(chunkIdKey);
  const verified = cache.verifiedPacks(key);
  if (verified.length === 0) return 0;
  const known = new Map(cache.packs(indexer).map(({ pack }) => [packName(pack), pack.directory]));
  for (const pack of verified) {
    const before = known.get(packName(pack));
    // Where they contradict each other, what is in use already stays.
    const directory = before ? (bothVouched(before, pack.directory) ?? before) : undefined;
    if (before !== undefined && directory === before) continue;
    cache.addPack(indexer, { ...pack, directory: directory ?? pack.directory }, false);
  }
  // First what they have become: after a kill in between it is done again, to the same end.
  cache.flush();
  cache.dropVerifiedPacks(key);
  cache.flush();
  return verified.length;
}

/** The cache need not hold the key itself. */
export const keyName = (chunkIdKey: Uint8Array): string =>
  toHex(blake2b256(chunkIdKey)).slice(0, 32);
