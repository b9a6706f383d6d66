/** The checked-in vectors of format 1 against our code: the good ones decode, the bad ones are refused as said. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { view } from '../../src/base/bytes.ts';
import { FerryError } from '../../src/base/errors.ts';
import { passphraseKey } from '../../src/crypto/passphrase.ts';
import { parseRecoveryCode } from '../../src/crypto/recovery-code.ts';
import type { Entry } from '../../src/format/entry.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { openForReading } from '../../src/repository/open.ts';
import { chooseSnapshot, listSnapshots } from '../../src/repository/snapshot-list.ts';
import { openSnapshot } from '../../src/repository/snapshot-reader.ts';
import { openMemoryStore } from '../../src/store/memory-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import type { VectorKind } from './bad-headers.ts';
import { entryValue, expectedContent } from './expected.ts';
import { makeVectors, VECTORS_FOLDER } from './generate.ts';
import { IDENTITY_SEED, OWNER, PASSPHRASE, PASSPHRASE_TYPED, RECOVERY_SECRET } from './keys.ts';
import { openVector } from './open-vector.ts';
import {
  BODY,
  CONDEMNED,
  COVER,
  DRILLED,
  DIRECTORY,
  ENTRIES,
  FORGOTTEN,
  goodObjects,
  INDEXED,
  LISTED,
  PACK_FRAMES,
  RECORD,
  REVOKED,
  SLOT_SECRETS,
} from './sample.ts';
import { REPACKED } from './repacked.ts';

const signal = new AbortController().signal;
const stored = (path: string): Buffer => readFileSync(join(VECTORS_FOLDER, path));
const storedJson = (path: string): unknown => JSON.parse(stored(path).toString('utf8'));

test('the generator makes exactly the files that are checked in', async () => {
  const made = await makeVectors();
  const found = readdirSync(VECTORS_FOLDER, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(VECTORS_FOLDER, join(entry.parentPath, entry.name)));
  assert.deepEqual(found.toSorted(), [...made.keys()].toSorted());
  for (const [path, bytes] of made) assert.ok(stored(path).equals(bytes), `${path} differs`);
});

test('every good object decodes to what was put in', async () => {
  const good = await goodObjects();
  const open = async (what: string, kind: VectorKind): Promise<unknown> => {
    const name = good.get(what)?.name ?? '';
    return openVector(kind, stored(`repository/${name}`), name);
  };
  assert.equal(await open('repository header', 'repository header'), repositoryId());
  for (const secret of SLOT_SECRETS) {
    const identity = await open(`key slot, ${secret.with}`, 'key slot');
    assert.ok(typeof identity === 'object' && identity !== null && 'recipient' in identity);
    assert.deepEqual(identity.recipient, OWNER.recipient);
  }
  const record = await open('writer record', 'writer record');
  assert.ok(typeof record === 'object' && record !== null && 'machine' in record);
  assert.equal(record.machine, RECORD.machine);
  const chunks = PACK_FRAMES.flatMap((frame) => frame.entry.segments.flatMap((one) => one.chunks));
  const pack = await open('pack', 'pack');
  assert.ok(typeof pack === 'object' && pack !== null && 'directory' in pack && 'chunks' in pack);
  assert.deepEqual(pack.directory, view(DIRECTORY));
  assert.ok(Array.isArray(pack.chunks) && pack.chunks.length === chunks.length);
  assert.deepEqual(await open('index', 'index'), indexedAsRead());
  assert.deepEqual(await open('pack list', 'pack list'), LISTED);
  const snapshot = await open('snapshot', 'snapshot');
  assert.ok(typeof snapshot === 'object' && snapshot !== null);
  assert.ok('cover' in snapshot && 'body' in snapshot);
  assert.deepEqual([snapshot.cover, snapshot.body], [COVER, BODY]);
  assert.deepEqual(await open('revocation', 'revocation'), {
    writer: REVOKED.writer,
    time: new Date(REVOKED.timeMs).toISOString(),
    last: REVOKED.snapshots.at(-1),
    digests: new Map(REVOKED.snapshots.map(({ digest, sequence }) => [digest, sequence])),
  });
  assert.deepEqual(await open('forget record', 'forget record'), FORGOTTEN);
  assert.deepEqual(await open('repack record', 'repack record'), REPACKED);
  assert.deepEqual(await open('drill record', 'drill record'), DRILLED);
  assert.deepEqual(await open('tombstone', 'tombstone'), CONDEMNED);
  assert.deepEqual(storedJson('good.json'), JSON.parse(JSON.stringify(expectedContent(good))));
});

test('the whole repository of the vectors reads back, however it is opened', async () => {
  const store = await storeOfVectors();
  const typed = { with: 'passphrase', passphrase: PASSPHRASE_TYPED } as const;
  for (const secret of [typed, ...SLOT_SECRETS]) {
    const cacheOf = (repository: string): LocalCache =>
      LocalCache.open(undefined, repository, failOn);
    const reader = await openForReading(store, secret, undefined, cacheOf, failOn, signal);
    assert.deepEqual(view(reader.identity.seed), view(IDENTITY_SEED));
    const chosen = chooseSnapshot(
      await listSnapshots(reader, failOn, signal),
      undefined,
      undefined,
    );
    const snapshot = await openSnapshot(reader, chosen, failOn, signal);
    const root = snapshot.body.roots[0];
    assert.ok(root);
    const entries: Entry[] = [];
    for await (const entry of snapshot.entries(root)) entries.push(entry);
    assert.deepEqual(entries.map(entryValue), ENTRIES.map(entryValue));
    for (const entry of entries) {
      if (entry.type !== 'file') continue;
      let size = 0;
      for await (const piece of snapshot.file(entry)) size += piece.length;
      assert.equal(size, entry.size);
    }
  }
});

test('passphrase and recovery code give the keys of keys.json', async () => {
  const keys = storedJson('keys.json');
  assert.ok(typeof keys === 'object' && keys !== null && 'recoveryCode' in keys);
  assert.deepEqual(view(parseRecoveryCode(String(keys.recoveryCode))), view(RECOVERY_SECRET));
  const cost = { memoryKiB: 64 * 1024, passes: 2, lanes: 1 };
  const salt = Buffer.alloc(16, 7);
  assert.notEqual(PASSPHRASE, PASSPHRASE_TYPED);
  assert.deepEqual(
    await passphraseKey(PASSPHRASE, salt, cost),
    await passphraseKey(PASSPHRASE_TYPED, salt, cost),
  );
});

type Listed = { readonly file: string; readonly kind: VectorKind; readonly code: string };
const bad = storedJson('bad.json') as readonly Listed[];

test('there are bad vectors of every kind', () => {
  const kinds = new Set(bad.map((vector) => vector.kind));
  assert.equal(kinds.size, 13);
  assert.ok(bad.length > 200);
});

for (const { file, kind, code } of bad) {
  test(`refused with ${code}: ${file}`, async () => {
    const bytes = stored(`bad/${file}`);
    await assert.rejects(
      async () => openVector(kind, bytes),
      (error) => {
        assert.ok(error instanceof FerryError, String(error));
        assert.equal(error.code, code, error.message);
        return true;
      },
    );
  });
}

function repositoryId(): string {
  const keys = storedJson('keys.json');
  assert.ok(typeof keys === 'object' && keys !== null && 'repository' in keys);
  return String(keys.repository);
}

const indexedAsRead = (): object[] =>
  INDEXED.map((pack) => ({ ...pack, directory: view(pack.directory) }));

/** Nothing about the vectors may need a notice. */
function failOn(event: object): void {
  assert.fail(JSON.stringify(event));
}

async function storeOfVectors(): Promise<ObjectStore> {
  const store = openMemoryStore();
  for (const { name } of (await goodObjects()).values()) {
    await store.put(name, stored(`repository/${name}`), {}, signal);
  }
  return store;
}
