/** What the command line promises about itself: a quick start, and commands that only parse, call and report. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, test } from 'node:test';
import { runInNewContext } from 'node:vm';

const src = join(import.meta.dirname, '../../../src');

describe('a quick start', () => {
  test('what --help needs: commander, and a handful of small files of ours', () => {
    const files = new Set<string>();
    const packages = new Set<string>();
    follow(join(src, 'main.ts'), files, packages);
    assert.ok(files.size > 5);
    assert.deepEqual([...packages].toSorted(), ['commander', 'node:module', 'node:v8']);
    const light = /^(main\.ts|base\/|cli\/|fs\/out-of-space\.ts|settings\/file-failure\.ts)/;
    const heavy = [...files].filter((file) => !light.test(file));
    assert.deepEqual(heavy, []);
  });
});

describe('commands', () => {
  const commands = globSync('cli/commands/*.ts', { cwd: src });

  test('have no try, no --json and no process', () => {
    assert.ok(commands.length >= 10);
    for (const file of commands) {
      const text = readFileSync(join(src, file), 'utf8');
      assert.doesNotMatch(text, /\btry\b|\.json\b(?!')|\bprocess\./, file);
    }
  });
});

describe('the bin', () => {
  const code = readFileSync(join(src, 'bin.cts'), 'utf8').replace(/^#!.*/, '');

  for (const version of ['0.10.48', '18.20.0', '22.1.0', '24.6.9']) {
    test(`Node ${version} is told what is missing`, () => {
      const { exit, said } = start(version, 'linux');
      assert.equal(exit, 2);
      assert.match(said, /^error: stateferry needs Node 24\.7 or newer, and this is v/);
      assert.match(said, /hint: .*npx -p node@24 -p stateferry stateferry/);
    });
  }

  test('Windows is sent to WSL2', () => {
    const { exit, said } = start('24.21.0', 'win32');
    assert.equal(exit, 2);
    assert.match(said, /hint: .*WSL2/);
  });

  test('is written for a Node that knows little', () => {
    assert.doesNotMatch(code, /\b(const|let|async|await)\b|=>|`|\?\.|\?\?/);
  });

  function start(node: string, platform: string): { exit: unknown; said: string } {
    const said: string[] = [];
    const fake = { versions: { node }, version: `v${node}`, platform, exitCode: undefined };
    runInNewContext(code, { process: fake, console: { error: (text: string) => said.push(text) } });
    return { exit: fake.exitCode, said: said.join('\n') };
  }
});

function follow(file: string, files: Set<string>, packages: Set<string>): void {
  const name = relative(src, file);
  if (files.has(name)) return;
  files.add(name);
  const text = readFileSync(file, 'utf8');
  for (const [, isType, from = ''] of text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[^;]*?\sfrom\s+)?'([^']+)';/gms,
  )) {
    if (isType !== undefined) continue;
    if (from.startsWith('.')) follow(join(dirname(file), from), files, packages);
    else packages.add(from);
  }
}
