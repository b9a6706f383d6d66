/** The worked examples of FORMAT.md show the vectors as they are. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromHex, view } from '../../src/base/bytes.ts';
import { VECTORS_FOLDER } from './generate.ts';

const FORMAT = readFileSync(join(import.meta.dirname, '../../src/format/FORMAT.md'), 'utf8');
const TITLE = /^\*\*.+\*\*: `(?<file>[^`]+)`, (?<length>\d+) bytes$/;
const LINE = /^ {4}(?<at>[0-9a-f]{5}) {2}(?<hex>(?:[0-9a-f]{2} )+)(?<more>…)?/;

type Example = { readonly file: string; readonly length: number; readonly lines: string[] };

function examples(): Example[] {
  const found: Example[] = [];
  for (const line of FORMAT.split('\n')) {
    const title = TITLE.exec(line)?.groups;
    if (title)
      found.push({ file: title['file'] ?? '', length: Number(title['length']), lines: [] });
    else if (LINE.test(line)) found.at(-1)?.lines.push(line);
  }
  return found;
}

for (const { file, length, lines } of examples()) {
  test(`the example of ${file} is what lies there`, () => {
    const bytes = readFileSync(join(VECTORS_FOLDER, file));
    assert.equal(bytes.length, length);
    assert.ok(lines.length > 2);
    let next = 0;
    for (const line of lines) {
      const { at = '', hex = '' } = LINE.exec(line)?.groups ?? {};
      const offset = parseInt(at, 16);
      const shown = view(fromHex(hex.replaceAll(' ', '')));
      assert.ok(shown.length > 0 && offset >= next, line);
      assert.deepEqual(bytes.subarray(offset, offset + shown.length), shown, line);
      next = offset + shown.length;
    }
  });
}

test('every kind of object has an example, and every file that is named exists', () => {
  const files = examples().map((example) => example.file);
  for (const folder of [
    'packs',
    'indexes',
    'lists',
    'snapshots',
    'writers',
    'revocations',
    'forgets',
    'repacks',
    'drills',
    'tombstones',
  ]) {
    assert.ok(
      files.some((file) => file.startsWith(`repository/${folder}/`)),
      folder,
    );
  }
  const named = [...FORMAT.matchAll(/`((?:repository|plain)\/[^`]+)`/g)].map(
    (match) => match[1] ?? '',
  );
  assert.ok(named.length > 10);
  for (const file of named) assert.ok(existsSync(join(VECTORS_FOLDER, file)), file);
});

test('the numbers in the text are those of the steps', () => {
  const steps = readFileSync(join(VECTORS_FOLDER, 'steps.json'), 'utf8');
  const keys = readFileSync(join(VECTORS_FOLDER, 'keys.json'), 'utf8');
  const short = [...FORMAT.matchAll(/`([0-9a-f]{8,})…`/g)].map((match) => match[1] ?? '');
  assert.ok(short.length >= 6);
  for (const front of short)
    assert.ok(steps.includes(`"${front}`) || keys.includes(`"${front}`), front);
  const code = /`(SF1(?:-[0-9A-Z]{4}){9})`/.exec(FORMAT)?.[1] ?? '?';
  assert.ok(keys.includes(code));
});
