/** What shares a context of compression tells who sees sizes about it: checked in the packs of a real push. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { tmpdir } from 'node:os';
import { view } from '../../src/base/bytes.ts';
import { CHUNK_ID_BYTES } from '../../src/crypto/sizes.ts';
import type { FileEntry } from '../../src/format/entry.ts';
import { SEALED_HEADER_BYTES } from '../../src/format/header.ts';
import { CODECS, visitDirectory, type Codec } from '../../src/format/pack.ts';
import { omitRules } from '../../src/gateway/contents/omit-rules.ts';
import { openSnapshot } from '../../src/repository/snapshot-reader.ts';
import { listAll, makeEngine, NO_ABORT, openReader, pushTree } from '../support/engine.ts';

const folder = mkdtempSync(join(tmpdir(), 'stateferry-contexts-'));
after(() => rmSync(folder, { recursive: true, force: true }));

type Segment = { readonly codec: Codec; readonly ids: string[] };
type Frame = { readonly segments: Segment[] };
type Seen = { readonly entry: FileEntry; readonly ids: readonly string[] };
const files = new Map<string, Seen>();
const placeOf = new Map<string, { frame: Frame; segment: Segment }>();

const TEXT = 'the same words again and again, as transcripts have them. ';
function write(tree: string, path: string, bytes: number): void {
  const at = join(tree, path);
  mkdirSync(dirname(at), { recursive: true });
  // The path makes every file another one.
  writeFileSync(at, (path + TEXT.repeat(Math.ceil(bytes / TEXT.length))).slice(0, bytes));
}

function writeDatabase(tree: string, path: string): void {
  const at = join(tree, path);
  mkdirSync(dirname(at), { recursive: true });
  const database = new DatabaseSync(at);
  database.exec('CREATE TABLE cookies (name TEXT, value TEXT)');
  const insert = database.prepare('INSERT INTO cookies VALUES (?, ?)');
  for (let row = 0; row < 3000; row++) insert.run(`${path} ${row}`, TEXT);
  database.close();
}

const SECRET = [
  'openclaw.json',
  'credentials/whatsapp/creds.json',
  'credentials/large.bin',
  'credentials/not-really.sqlite',
  'credentials/notes.db',
  'agents/main/agent/auth-profiles.json',
  'workspace/project/.env',
  'workspace/project/deploy.pem',
];
const SECRET_DATABASE = 'browser/claw/user-data/Default/Cookies';

before(async () => {
  const tree = join(folder, 'tree');
  for (const path of SECRET) write(tree, path, path.includes('large') ? 700_000 : 5000);
  for (const name of ['a', 'b', 'c']) {
    write(tree, `workspace/project/${name}.md`, 4000);
    write(tree, `workspace/${name}.md`, 4000);
    write(tree, `agents/main/sessions/${name}.jsonl`, 300_000);
  }
  writeDatabase(tree, SECRET_DATABASE);
  writeDatabase(tree, 'memory/main.sqlite');
  const { store, machine } = await makeEngine(folder);
  const rules = omitRules('state', []);
  await pushTree(store, machine, tree, { roots: [{ tree, isSecret: rules.isSecret }] });
  const reader = await openReader(store);
  const [cover] = await listAll(reader);
  assert.ok(cover);
  const snapshot = await openSnapshot(reader, cover, () => undefined, NO_ABORT);
  const [root] = snapshot.body.roots;
  assert.ok(root);
  for (const pack of snapshot.packs) {
    let frame: Frame = { segments: [] };
    let segment: Segment = { codec: CODECS.stored, ids: [] };
    visitDirectory(pack.directory, SEALED_HEADER_BYTES, 'a pack', {
      frame: () => {
        frame = { segments: [] };
      },
      segment: (codec) => {
        segment = { codec, ids: [] };
        frame.segments.push(segment);
      },
      chunk: (id) => {
        const name = id.toString('hex');
        segment.ids.push(name);
        placeOf.set(name, { frame, segment });
      },
    });
  }
  for await (const entry of snapshot.entries(root)) {
    if (entry.type !== 'file') continue;
    const all = view(await snapshot.chunkIds(entry));
    const ids: string[] = [];
    for (let at = 0; at < all.length; at += CHUNK_ID_BYTES) {
      ids.push(all.toString('hex', at, at + CHUNK_ID_BYTES));
    }
    files.set(entry.path, { entry, ids });
  }
});

function fileAt(path: string): Seen {
  const file = files.get(path);
  assert.ok(file && file.ids.length > 0, path);
  return file;
}

for (const path of [...SECRET, SECRET_DATABASE]) {
  test(`stored as it is, in frames of its own: ${path}`, () => {
    const { entry, ids } = fileAt(path);
    assert.ok(entry.secret);
    for (const id of ids) {
      const place = placeOf.get(id);
      assert.equal(place?.segment.codec, CODECS.stored);
      assert.deepEqual(place.segment.ids, [id]);
      assert.equal(place.frame.segments.length, 1);
    }
  });
}

test('a context holds files of one directory, or one chunk', () => {
  const directoryOf = new Map<string, string>();
  for (const [path, { ids }] of files) for (const id of ids) directoryOf.set(id, dirname(path));
  const shared = [...placeOf.values()].filter(({ segment }) => segment.ids.length > 1);
  assert.ok(shared.length >= 2);
  for (const { segment } of shared) {
    assert.equal(new Set(segment.ids.map((id) => directoryOf.get(id))).size, 1);
  }
  const groups = shared.map(({ segment }) => directoryOf.get(segment.ids[0] ?? ''));
  assert.deepEqual([...new Set(groups)].toSorted(), ['workspace', 'workspace/project']);
});

test('chunks of large files and pages of databases are compressed alone', () => {
  for (const path of ['agents/main/sessions/a.jsonl', 'memory/main.sqlite']) {
    const { entry, ids } = fileAt(path);
    assert.ok(ids.length > 1 && !entry.secret);
    for (const id of ids) assert.deepEqual(placeOf.get(id)?.segment.ids, [id]);
    assert.ok(ids.some((id) => placeOf.get(id)?.segment.codec === CODECS.zstd));
  }
});
