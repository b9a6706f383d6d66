/** The package as a stranger gets it: packed from a copy of the sources, unpacked elsewhere, and run. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runProcess } from '../../src/process/run.ts';
import { makeFolder } from './cli-run.ts';

const project = join(import.meta.dirname, '../..');
const folder = makeFolder();
const installed = join(folder.path, 'elsewhere/node_modules/stateferry');
const home = join(folder.path, 'home');
const PACKED_BYTES_MAX = 500 * 1024;
let files: string[] = [];
let packedBytes = 0;

async function run(command: string, args: readonly string[], cwd: string): Promise<string> {
  const env = {
    PATH: `${dirname(process.execPath)}:/usr/bin:/bin`,
    HOME: home,
    TMPDIR: folder.path,
  };
  const signal = new AbortController().signal;
  const ran = await runProcess(command, [...args], { env, cwd, timeoutMs: 120_000, signal });
  assert.equal(ran.exit, 0, ran.stdout + ran.stderr);
  return ran.stdout;
}

before(async () => {
  const copy = join(folder.path, 'copy');
  mkdirSync(copy);
  mkdirSync(home);
  const config = ['package.json', 'tsconfig.json', 'tsconfig.build.json'];
  const texts = ['README.md', 'CHANGELOG.md', 'SECURITY.md', 'LICENSE'];
  for (const name of [...config, ...texts, 'src', 'infra', 'test']) {
    cpSync(join(project, name), join(copy, name), { recursive: true });
  }
  symlinkSync(join(project, 'node_modules'), join(copy, 'node_modules'));
  await run(
    process.execPath,
    ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'],
    copy,
  );
  const packed = await run('npm', ['pack', '--ignore-scripts', '--json'], copy);
  const [report] = JSON.parse(packed) as {
    filename: string;
    size: number;
    files: { path: string }[];
  }[];
  assert.ok(report);
  files = report.files.map(({ path }) => path).toSorted();
  packedBytes = report.size;
  mkdirSync(installed, { recursive: true });
  await run('tar', ['-xzf', report.filename, '--strip-components=1', '-C', installed], copy);
  symlinkSync(join(project, 'node_modules'), join(installed, 'node_modules'));
});
after(() => folder.remove());

describe('the package', () => {
  test('holds what a user needs, and nothing else', () => {
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
    assert.ok(packedBytes < PACKED_BYTES_MAX, `${packedBytes} bytes`);
  });

  test('has every page that its pages link to', () => {
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
    const bin = join(installed, 'dist/bin.cjs');
    const cwd = join(folder.path, 'elsewhere');
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
