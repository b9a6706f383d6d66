/** The keys of the vectors. They are public: never use them for anything else. */
import { cryptoReady, ed25519KeyPair, type KeyPair } from '../../src/crypto/sodium.ts';
import {
  identityFromSeed,
  installSubkeys,
  writerSubkeys,
  type WriterSubkeys,
} from '../../src/crypto/identity.ts';
import { toHex } from '../../src/base/bytes.ts';
import { idFromBytes, type ObjectId, type WriterId } from '../../src/format/names.ts';
import { fixedBytes } from './stream.ts';

await cryptoReady();

export const REPOSITORY = toHex(fixedBytes('repository', 16));
export const OTHER_REPOSITORY = toHex(fixedBytes('other repository', 16));
/** The accent is one character here and two in `PASSPHRASE_TYPED`; both open. */
export const PASSPHRASE = 'caf\u00e9 on the ferry';
export const PASSPHRASE_TYPED = 'cafe\u0301 on the ferry';
export const RECOVERY_SECRET = fixedBytes('recovery secret', 20);
export const READER_KEY = fixedBytes('reader key', 32);
export const IDENTITY_SEED = fixedBytes('identity seed', 32);
export const OWNER = identityFromSeed(IDENTITY_SEED);
export const STRANGER = identityFromSeed(fixedBytes('stranger', 32));
export const INSTALL = 'openclaw';

export type Writer = {
  readonly id: WriterId;
  readonly key: Uint8Array;
  readonly subkeys: WriterSubkeys;
  readonly signingSeed: Uint8Array;
  readonly signing: KeyPair;
};

export const WRITER = makeWriter('writer');
export const OTHER_WRITER = makeWriter('other writer');
export const CHUNK_ID_KEY = installSubkeys(WRITER.key, INSTALL).chunkId;
export const objectId = (label: string): ObjectId =>
  idFromBytes<ObjectId>(fixedBytes(`id ${label}`, 16));

function makeWriter(label: string): Writer {
  const key = fixedBytes(`${label} key`, 32);
  const signingSeed = fixedBytes(`${label} signing`, 32);
  return {
    id: idFromBytes<WriterId>(fixedBytes(`${label} id`, 16)),
    key,
    subkeys: writerSubkeys(key),
    signingSeed,
    signing: ed25519KeyPair(signingSeed),
  };
}
