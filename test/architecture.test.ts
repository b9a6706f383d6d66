/** The layer table, the doors and the style rules that a linter does not know. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { scanSources, type Sources } from './support/import-scan.ts';
import {
  doorsAsMarkdown,
  LAYERS,
  layersAsMarkdown,
  PARTS,
  partsAsMarkdown,
} from './support/layers.ts';

const projectFolder = join(import.meta.dirname, '..');
const SOURCE_LINES_MAX = 400;
/** oxfmt keeps code at 100 columns; this is for what it does not break: comments, strings, templates. */
const COLUMNS_MAX = 120;
const EMPTY_WORDS = /^(utils?|helpers?|common|managers?|service|misc|shared)$/;

const sources = readSources('src');

describe('layers and doors', () => {
  test('src keeps to the tables', () => {
    const scan = scanSources(sources);
    assert.ok(sources.size >= 30, `only ${sources.size} source files found`);
    assert.ok(scan.importCount >= sources.size, `only ${scan.importCount} imports found`);
    assert.deepEqual(scan.findings, []);
  });

  test('every folder of src is in the layer table, and no table row is empty', () => {
    const folders = new Set([...sources.keys()].filter((path) => path.includes('/')).map(topOf));
    assert.deepEqual([...folders].toSorted(), Object.keys(LAYERS).toSorted());
  });

  test('the parts of a folder are those of the table, and each holds three files or more', () => {
    for (const [folder, parts] of Object.entries(PARTS)) {
      const files = [...sources.keys()].filter((path) => path.startsWith(`${folder}/`));
      const inParts = files.map((path) => path.split('/').slice(1, -1).join('/'));
      const counts = Object.groupBy(inParts, (part) => part);
      delete counts[''];
      assert.deepEqual(Object.keys(counts).toSorted(), Object.keys(parts).toSorted());
      const small = Object.entries(counts).filter(([, of]) => (of ?? []).length < 3);
      assert.deepEqual(small, []);
    }
  });

  test('the layer table has no cycle', () => {
    const visit = (folder: string, trail: readonly string[]): void => {
      assert.ok(!trail.includes(folder), `cycle: ${[...trail, folder].join(' → ')}`);
      for (const below of LAYERS[folder] ?? []) visit(below, [...trail, folder]);
    };
    for (const folder of Object.keys(LAYERS)) visit(folder, []);
  });

  test('ARCHITECTURE.md shows the same tables (print them: node test/support/layers.ts)', () => {
    const page = readFileSync(join(projectFolder, 'src/ARCHITECTURE.md'), 'utf8');
    assert.ok(page.includes(layersAsMarkdown()), 'the layer table differs');
    assert.ok(page.includes(partsAsMarkdown()), 'the table of parts differs');
    assert.ok(page.includes(doorsAsMarkdown()), 'the table of doors differs');
  });
});

describe('a forbidden import is found', () => {
  const FORBIDDEN: readonly (readonly [string, string])[] = [
    ['base/a.ts', `import { b } from '../crypto/b.ts';`],
    ['store/a.ts', `import type { B } from '../repository/b.ts';`],
    ['push/a.ts', `export { b } from '../pull/b.ts';`],
    ['push/a.ts', `export * from '../cli/b.ts';`],
    ['pull/a.ts', `import {\n  b,\n} from '../push/b.ts';`],
    ['crypto/a.ts', `const b = await import('../format/b.ts');`],
    ['fs/a.ts', `const url = new URL('../workers/worker-main' + extension, import.meta.url);`],
    ['repository/a.ts', `import '../settings/b.ts';`],
    ['cli/a.ts', `import { b } from '../../test/b.ts';`],
    ['cli/a.ts', `import { b } from '../main.ts';`],
    ['fs/a.ts', `const b = await import(name);`],
    ['fs/a.ts', `const b = process.getBuiltinModule('child_process');`],
    ['push/a.ts', `import { S3Client } from '@aws-sdk/client-s3';`],
    ['repository/a.ts', `import { x } from '@smithy/node-http-handler';`],
    ['format/a.ts', `import sodium from 'libsodium-wrappers';`],
    ['workers/a.ts', `import { createHmac } from 'node:crypto';`],
    ['codec/a.ts', `import { createHash } from 'crypto';`],
    ['cli/a.ts', `import { pack } from 'tar-stream';`],
    ['gateway/a.ts', `import { spawn } from 'node:child_process';`],
    ['pull/a.ts', `import { writeFileSync } from 'node:fs';`],
    ['repository/indexes.ts', `import { readFile } from 'node:fs/promises';`],
    ['store/s3-store.ts', `import { readFile } from 'fs';`],
    ['push/a.ts', `import { DatabaseSync } from 'node:sqlite';`],
    ['format/a.ts', `import { tmpdir } from 'node:os';`],
    ['codec/a.ts', `import { join } from 'node:path';`],
    ['push/a.ts', `const home = process.env['HOME'];`],
    ['cli/a.ts', `const home = process.env.HOME;`],
    ['push/a.ts', `import { env } from 'node:process';`],
    ['push/a.ts', `process.stdout.write('x');`],
    ['pull/a.ts', `process.exit(1);`],
    ['cli/a.ts', `console.log('x');`],
    ['push/a.ts', `const at = Date.now();`],
    ['format/a.ts', `const at = new Date();`],
    ['store/a.ts', `const jitter = Math.random();`],
    ['util/a.ts', `import { b } from '../base/b.ts';`],
    ['other.ts', `import { b } from './base/b.ts';`],
    ['gateway/disk/a.ts', `import { b } from '../config/b.ts';`],
    ['gateway/landing/a.ts', `import { b } from '../sample/b.ts';`],
    ['gateway/running/a.ts', `import { b } from '../b.ts';`],
    ['gateway/other/a.ts', `import { b } from '../disk/b.ts';`],
  ];
  for (const [path, code] of FORBIDDEN) {
    test(`${path}: ${code.replaceAll('\n', ' ')}`, () => {
      const scan = scanSources(new Map([[path, code]]));
      assert.ok(scan.findings.length > 0);
      for (const finding of scan.findings) assert.ok(finding.startsWith(path), finding);
    });
  }

  test('in a real file too', () => {
    const spoilt = new Map(sources);
    const path = [...sources.keys()].find((name) => name.startsWith('format/'));
    assert.ok(path !== undefined);
    spoilt.set(path, `import { x } from '../push/x.ts';\n${sources.get(path)}`);
    const before = scanSources(sources).findings.length;
    assert.equal(scanSources(spoilt).findings.length, before + 1);
  });

  test('and what is allowed is not', () => {
    const allowed: Sources = new Map([
      ['push/a.ts', `import { b } from '../repository/b.ts';\nimport { c } from './c.ts';`],
      ['store/s3-client.ts', `import { S3Client } from '@aws-sdk/client-s3';`],
      ['store/folder-write.ts', `import { open } from 'node:fs/promises';`],
      ['crypto/a.ts', `import { createHmac } from 'node:crypto';`],
      ['settings/a.ts', `const home = process.env['HOME']; // and process.exit is only named here`],
      ['workers/a.ts', `const url = new URL('./worker-main' + extension, import.meta.url);`],
      ['cli/a.ts', `/** console.log is never called */\nprocess.stdout.write('x');`],
      ['gateway/landing/a.ts', `import { b } from '../disk/b.ts';\nimport { c } from './c.ts';`],
      ['main.ts', `const { run } = await import('./cli/run.ts');`],
    ]);
    assert.deepEqual(scanSources(allowed).findings, []);
  });
});

describe('style', () => {
  const all = new Map([...prefixed('src', sources), ...prefixed('test', readSources('test'))]);

  test(`no file has more than ${SOURCE_LINES_MAX} lines`, () => {
    const long = [...all].filter(([, text]) => text.split('\n').length > SOURCE_LINES_MAX + 1);
    assert.deepEqual(
      long.map(([path]) => path),
      [],
    );
  });

  test(`no line has more than ${COLUMNS_MAX} columns`, () => {
    const wide = [...all].flatMap(([path, text]) =>
      text
        .split('\n')
        .flatMap((line, at) => (line.length > COLUMNS_MAX ? [`${path}:${at + 1}`] : [])),
    );
    assert.deepEqual(wide, []);
  });

  test('no folder or file has a name that says nothing', () => {
    const empty = [...all.keys()].filter((path) =>
      path.split('/').some((part) => EMPTY_WORDS.test(basename(part, '.ts'))),
    );
    assert.deepEqual(empty, []);
  });

  test('nothing is left for later in the code', () => {
    const marker = /\b(?:T[O]DO|F[I]XME)\b/; // the brackets keep this file from finding itself
    const marked = [...all].filter(([, text]) => marker.test(text)).map(([path]) => path);
    assert.deepEqual(marked, []);
  });
});

function readSources(folder: string): Sources {
  const cwd = join(projectFolder, folder);
  const paths = globSync('**/*.{ts,cts,cjs}', { cwd }).toSorted();
  return new Map(paths.map((path) => [path, readFileSync(join(cwd, path), 'utf8')]));
}

function prefixed(folder: string, files: Sources): [string, string][] {
  return [...files].map(([path, text]) => [`${folder}/${path}`, text]);
}

function topOf(path: string): string {
  return path.slice(0, path.indexOf('/'));
}
