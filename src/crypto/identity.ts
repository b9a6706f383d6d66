import { utf8 } from '../base/bytes.ts';
import { kdf } from './kdf.ts';
import { ed25519KeyPair, xwingKeyPair, type KeyPair } from './sodium.ts';

/**
 * What a reader holds: from one 32-byte seed, the X-Wing pair that everything is sealed to and the Ed25519
 * root pair that says who may write.
 */
export type Identity = {
  readonly seed: Uint8Array;
  readonly recipient: KeyPair;
  readonly root: KeyPair;
};

/** The halves that every machine pins in its settings and never takes from the bucket. */
export type PublicHalves = { readonly recipient: Uint8Array; readonly root: Uint8Array };

export function identityFromSeed(seed: Uint8Array): Identity {
  return {
    seed,
    recipient: xwingKeyPair(kdf(seed, 'xwing')),
    root: ed25519KeyPair(kdf(seed, 'root')),
  };
}

export const publicHalves = (identity: Identity): PublicHalves => ({
  recipient: identity.recipient.publicKey,
  root: identity.root.publicKey,
});

/** The subkeys of one machine's 32-byte writer key. */
export type WriterSubkeys = {
  readonly index: Uint8Array;
  readonly packList: Uint8Array;
  readonly cover: Uint8Array;
  readonly drillRecord: Uint8Array;
};

export const writerSubkeys = (writerKey: Uint8Array): WriterSubkeys => ({
  index: kdf(writerKey, 'index'),
  packList: kdf(writerKey, 'pack list'),
  cover: kdf(writerKey, 'cover'),
  drillRecord: kdf(writerKey, 'drill record'),
});

/** Keys that differ for every install, so that deduplication never crosses installs. */
export type InstallSubkeys = { readonly chunkId: Uint8Array; readonly pageCut: Uint8Array };

export const installSubkeys = (writerKey: Uint8Array, install: string): InstallSubkeys => ({
  chunkId: kdf(writerKey, 'chunk id', utf8(install)),
  pageCut: kdf(writerKey, 'page cut', utf8(install)),
});
