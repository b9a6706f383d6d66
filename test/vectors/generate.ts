/**
 * Makes the vectors of format 1 again, byte for byte: `node test/vectors/generate.ts` writes them into `v1`. A change
 * there that nobody meant is a change of the format.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { installSubkeys } from '../../src/crypto/identity.ts';
import { formatRecoveryCode } from '../../src/crypto/recovery-code.ts';
import { badVectors } from './bad.ts';
import {
  IDENTITY_SEED,
  INSTALL,
  OWNER,
  PASSPHRASE,
  READER_KEY,
  RECOVERY_SECRET,
  REPOSITORY,
  WRITER,
} from './keys.ts';
import { expectedContent } from './expected.ts';
import { handoffFiles, handoffJson } from './handoff.ts';
import { plaintexts, steps } from './plaintexts.ts';
import { goodObjects } from './sample.ts';

export const VECTORS_FOLDER = join(import.meta.dirname, 'v1');

/** Every file of the folder by its relative path. */
export async function makeVectors(): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  const good = await goodObjects();
  for (const { name, bytes } of good.values()) files.set(`repository/${name}`, bytes);
  for (const [name, bytes] of plaintexts(good)) files.set(`plain/${name}.bin`, bytes);
  files.set('keys.json', json(keys()));
  files.set('steps.json', json(steps(good)));
  files.set('good.json', json(expectedContent(good)));
  const bad = (await badVectors()).map((vector) => ({ ...vector, file: fileName(vector) }));
  for (const { file, bytes } of bad) files.set(`bad/${file}`, bytes);
  files.set(
    'bad.json',
    json(bad.map(({ file, kind, wrong, code }) => ({ file, kind, wrong, code }))),
  );
  for (const [path, bytes] of handoffFiles()) files.set(`handoff/${path}`, bytes);
  files.set('handoff.json', json(handoffJson()));
  return files;
}

const fileName = (vector: { readonly kind: string; readonly wrong: string }): string =>
  `${vector.kind} ${vector.wrong}`.replaceAll(/[^A-Za-z0-9]+/g, '-').concat('.bin');

function keys(): object {
  const { chunkId, pageCut } = installSubkeys(WRITER.key, INSTALL);
  return {
    note: 'Public test keys. Never use them for anything else.',
    repository: REPOSITORY,
    passphrase: PASSPHRASE,
    recoverySecret: toHex(RECOVERY_SECRET),
    recoveryCode: formatRecoveryCode(RECOVERY_SECRET),
    readerKey: toHex(READER_KEY),
    identitySeed: toHex(IDENTITY_SEED),
    recipientPublicKey: toHex(OWNER.recipient.publicKey),
    rootPublicKey: toHex(OWNER.root.publicKey),
    writer: {
      id: WRITER.id,
      key: toHex(WRITER.key),
      signingSeed: toHex(WRITER.signingSeed),
      signingPublicKey: toHex(WRITER.signing.publicKey),
      subkeys: {
        index: toHex(WRITER.subkeys.index),
        'pack list': toHex(WRITER.subkeys.packList),
        cover: toHex(WRITER.subkeys.cover),
        'drill record': toHex(WRITER.subkeys.drillRecord),
      },
    },
    install: { name: INSTALL, 'chunk id': toHex(chunkId), 'page cut': toHex(pageCut) },
  };
}

const json = (value: unknown): Uint8Array => utf8(`${JSON.stringify(value, undefined, 1)}\n`);

async function main(): Promise<void> {
  const files = await makeVectors();
  rmSync(VECTORS_FOLDER, { recursive: true, force: true });
  for (const [path, bytes] of files) {
    const target = join(VECTORS_FOLDER, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
  process.stdout.write(`${files.size} files\n`);
}

if (import.meta.main) await main();
