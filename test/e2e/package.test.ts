/** The package as a stranger gets it: packed from a copy of the sources, unpacked elsewhere, and run. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { mustRunIn, packedIn, type Packed } from '../support/packed.ts';
import { makeFolder } from '../support/cli-run.ts';

const project = join(import.meta.dirname, '../..');
const folder = makeFolder();
const PACKED_BYTES_MAX = 640 * 1024;
let packed: Packed;

before(async () => {
  packed = await packedIn(folder.path);
});
after(() => folder.remove());

describe('the package', () => {
  test('holds what a user needs, and nothing else', () => {
    const { files, bytes } = packed;
    const wanted =
      /^(dist\/.+\.(js|cjs)|src\/.+\.md|infra\/.+|README\.md|CHANGELOG\.md|SECURITY\.md|LICENSE|package\.json)$/;
    assert.deepEqual(
      files.filter((file) => !wanted.test(file)),
      [],
    );
    for (const file of ['LICENSE', 'README.md', 'CHANGELOG.md', 'SECURITY.md', 'dist/bin.cjs']) {
      assert.ok(files.includes(file), file);
    }
    assert.ok(files.length > 100);
    assert.ok(bytes < PACKED_BYTES_MAX, `${bytes} bytes`);
  });

  test('has every page that its pages link to', () => {
    const { files, installed } = packed;
    let links = 0;
    for (const page of files.filter((file) => file.endsWith('.md'))) {
      const text = readFileSync(join(installed, page), 'utf8');
      for (const [, link = ''] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        links += 1;
        assert.ok(existsSync(join(installed, dirname(page), link)), `${page} links to ${link}`);
      }
    }
    assert.ok(links > 5);
  });

  test('runs: help, version and the demo, from another folder and with an empty home', async () => {
    const { bin } = packed;
    const cwd = join(folder.path, 'elsewhere');
    const run = (command: string, args: readonly string[], from: string): Promise<string> =>
      mustRunIn(folder.path, command, args, from);
    assert.match(await run(process.execPath, [bin, '--help'], cwd), /^Usage: stateferry /);
    const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
      version: string;
    };
    assert.equal(await run(process.execPath, [bin, '--version'], cwd), `${version}\n`);
    const demo = await run(process.execPath, [bin, 'demo', '--json'], cwd);
    const summary = JSON.parse(demo.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
    assert.equal(summary['ok'], true);
  });
});
