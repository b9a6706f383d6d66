/** Whatever a tree holds: we read what we write, other tars read what we write, and we read what they write. */
import assert from 'node:assert/strict';
import { createReadStream, createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import fc from 'fast-check';
import { asBytePath, bytePathFromText, joinBytes } from '../../src/base/byte-path.ts';
import { runProcess } from '../../src/process/run.ts';
import { extractTar } from '../../src/tar/extract-tar.ts';
import { readTar } from '../../src/tar/read-tar.ts';
import { writeTar } from '../../src/tar/write-tar.ts';
import {
  hasTool,
  isSameFile,
  itemsOf,
  linesBelow,
  linesOf,
  run,
  tree,
  type TreeEntry,
} from './tar-trees.ts';

const signal = new AbortController().signal;
const folder = mkdtempSync(join(tmpdir(), 'stateferry-tar-'));
after(() => rmSync(folder, { recursive: true, force: true }));
let number = 0;
let entriesWritten = 0;

const fresh = (): string => {
  const path = `${folder}/${number++}`;
  mkdirSync(path);
  return path;
};

async function write(entries: readonly TreeEntry[], file: string): Promise<void> {
  const totals = await writeTar(itemsOf(entries), createWriteStream(file), signal);
  entriesWritten += entries.length;
  assert.equal(totals.files, entries.filter(({ entry }) => entry.type === 'file').length);
}

const members = (file: string) =>
  readTar({ what: file, content: createReadStream(file) }, () => undefined, signal);

const extract = (file: string, stage: string) =>
  extractTar(
    members(file),
    { what: file, stage: bytePathFromText(stage), place: (path) => path, bytesMax: 1e9 },
    { run: runProcess, signal },
  );

function checkTree(stage: string, entries: readonly TreeEntry[], exact = true): void {
  const top = bytePathFromText(`${stage}/top`);
  assert.deepEqual(linesBelow(top, exact), linesOf(entries, exact));
  for (const { entry } of entries) {
    if (entry.type !== 'hardlink') continue;
    assert.ok(isSameFile(joinBytes(top, entry.path), joinBytes(top, entry.target)));
  }
}

describe('what we write', () => {
  test('we read: every entry, every byte', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (entries) => {
        const file = `${fresh()}/a.tar`;
        await write(entries, file);
        const read: TreeEntry[] = [];
        for await (const { entry, content } of members(file)) {
          const pieces: Uint8Array[] = [];
          for await (const { bytes } of content()) pieces.push(bytes);
          read.push({ entry, content: Buffer.concat(pieces) });
        }
        const under = (path: string) => asBytePath(path === '' ? 'top' : `top/${path}`);
        const expected = entries.map(({ entry, content }) => ({
          entry: {
            ...entry,
            path: under(entry.path),
            ...(entry.type === 'hardlink' ? { target: under(entry.target) } : {}),
          },
          content,
        }));
        assert.deepEqual(read, expected);
      }),
      { numRuns: 40 },
    );
  });

  test('we unpack', async () => {
    await fc.assert(
      fc.asyncProperty(tree, async (entries) => {
        const stage = fresh();
        await write(entries, `${stage}.tar`);
        await extract(`${stage}.tar`, stage);
        checkTree(stage, entries);
      }),
      { numRuns: 15 },
    );
  });

  for (const tool of ['tar', 'bsdtar']) {
    const skip = hasTool(tool) ? false : `there is no ${tool} here`;
    test(`${tool} unpacks`, { skip }, async () => {
      await fc.assert(
        fc.asyncProperty(tree, async (entries) => {
          const stage = fresh();
          await write(entries, `${stage}.tar`);
          run(tool, ['-xpf', `${stage}.tar`, '-C', stage]);
          checkTree(stage, entries);
        }),
        { numRuns: 25 },
      );
    });
  }
});

const skipGnu = hasTool('tar') ? false : 'there is no tar here';

describe('what GNU tar writes', { skip: skipGnu }, () => {
  const formats = [
    ['--format=gnu', false],
    ['--format=pax', true],
    ['--format=oldgnu', false],
  ] as const;
  for (const [format, exact] of formats) {
    test(`${format}, packed with gzip`, async () => {
      await fc.assert(
        fc.asyncProperty(tree, async (entries) => {
          const source = fresh();
          await write(entries, `${source}.tar`);
          await extract(`${source}.tar`, source);
          const stage = fresh();
          run('tar', ['-C', source, format, '-czf', `${stage}.tgz`, 'top']);
          await extract(`${stage}.tgz`, stage);
          assert.deepEqual(
            linesBelow(bytePathFromText(`${stage}/top`), exact),
            linesBelow(bytePathFromText(`${source}/top`), exact),
          );
        }),
        { numRuns: 12 },
      );
    });
  }
});

test('the trees held something', () => {
  assert.ok(entriesWritten > 200, `only ${entriesWritten} entries were written`);
});
