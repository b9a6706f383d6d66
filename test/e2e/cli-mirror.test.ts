/** mirror on the command line: to a new folder, then up to date, and opened like the original. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { fails, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';

const folder = makeFolder();
after(() => folder.remove());

test('a repository on a second disk', async () => {
  const machine = makeMachine(folder.path, 'alice');
  const [first, second] = ['first', 'second'].map((name) => join(folder.path, name));
  assert.ok(first && second);
  const secret = ['--passphrase-file', machine.passphraseFile];
  succeeded(await machine.run('init', first, '--kit', join(folder.path, 'kit'), ...secret));
  await fails(machine, ['mirror', first, join(first, '.')], { exit: 2, code: 'usage' });
  const words = succeeded(await machine.run('mirror', first, second));
  assert.match(words.stdout, /it is a new mirror/);
  assert.match(words.stdout, /copied 4 objects .* and read them back/);
  assert.match(words.stdout, /1 signature checked against the keys that this machine pinned/);
  const again = succeeded(await machine.run('mirror', first, second, '--json')).last();
  assert.deepEqual(again['objects'], { copied: 0, present: 4 });
  assert.deepEqual(again['problems'], []);
  // Nobody has pinned anything for the second place: the passphrase alone opens it.
  const keys = succeeded(await machine.run('keys', '-r', second, ...secret, '--json')).last();
  assert.ok(Array.isArray(keys['keys']) && keys['keys'].length === 2);

  writeSample({ home: machine.home, nodePath: process.execPath, port: 39_881 }).close();
  for (const turn of [1, 2]) {
    appendFileSync(join(machine.home, '.openclaw/workspace/MEMORY.md'), `turn ${turn}\n`);
    succeeded(await machine.run('push'));
  }
  succeeded(await machine.run('mirror', first, second));
  succeeded(await machine.run('forget', '--keep-last', '1', '--yes', ...secret));
  const followed = succeeded(await machine.run('mirror', first, second));
  assert.match(
    followed.stdout,
    /it has 1 snapshot now, 2 before\ndeleted there, as it was forgotten here: 1 snapshot/,
  );
  assert.match(followed.stdout, /what no snapshot there needs is freed by: stateferry prune -r '/);
  succeeded(await machine.run('prune', '-r', second, '--yes', ...secret));
  succeeded(await machine.run('check', '-r', second, ...secret));

  const stranger = makeMachine(folder.path, 'bob');
  const unknown = succeeded(await stranger.run('mirror', second, join(folder.path, 'third')));
  assert.match(unknown.stdout, /was not checked: this machine has not joined/);

  const [record] = readdirSync(join(second, 'writers'));
  writeFileSync(join(second, 'writers', record ?? ''), 'damaged');
  await fails(machine, ['mirror', join(folder.path, 'nowhere'), second], {
    exit: 10,
    code: 'repository-missing',
  });
  const damaged = await machine.run('mirror', first, second);
  assert.equal(damaged.exit, 16);
  assert.match(damaged.stdout, /problem writers\/.* is not what the source has/);
});
