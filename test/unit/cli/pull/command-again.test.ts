import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandAgain } from '../../../../src/cli/pull/command-again.ts';
import { parseArguments } from '../../../../src/cli/program.ts';

async function again(typed: readonly string[], args: readonly string[]): Promise<string> {
  const parsed = await parseArguments(typed, () => undefined);
  assert.ok(parsed.kind === 'verb');
  return commandAgain('pull', args, parsed.call, ['install', 'all']);
}

test('what was typed comes again, with another snapshot and without what chose the first', async () => {
  const typed = ['pull', 'latest', '--install', 'openclaw@old-mac', '--json', '--verbose'];
  assert.equal(await again(typed, ['3f2a']), 'stateferry pull 3f2a');
  const more = ['-r', 's3://b/p?region=eu-1', '--recovery-file', 'my kit.txt', '--no-doctor'];
  assert.equal(
    await again(['pull', ...more], ['3f2a']),
    "stateferry pull 3f2a --no-doctor -r 's3://b/p?region=eu-1' --recovery-file 'my kit.txt'",
  );
});

test('it parses to the same again', async () => {
  const typed = ['pull', '--map', "/srv/it's=/srv/ws", '--map', '/a=/b', '--undo-on-failure', '-y'];
  const command = await again([...typed, '--as', 'openclaw:work', '--home', '/home/ü'], []);
  const words = [...command.matchAll(/'((?:[^']|'\\'')*)'|(\S+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll("'\\''", "'") ?? plain ?? '',
  );
  const first = await parseArguments(
    [...typed, '--as', 'openclaw:work', '--home', '/home/ü'],
    () => undefined,
  );
  const second = await parseArguments(words.slice(1), () => undefined);
  assert.ok(first.kind === 'verb' && second.kind === 'verb');
  assert.deepEqual(second.call.options, first.call.options);
});
