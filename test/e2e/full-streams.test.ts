/** stdout and stderr on a disk that is full: what was asked for is done or told, and nothing ends in a stack trace. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { runProcess, type RunResult } from '../../src/process/run.ts';
import { MAIN, makeFolder, makeMachine, succeeded } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const folder = makeFolder();
const machine = makeMachine(folder.path, 'alice');

before(async () => {
  writeSample({ home: machine.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  const secret = ['--passphrase-file', machine.passphraseFile];
  const kit = join(folder.path, 'kit.txt');
  succeeded(await machine.run('init', join(folder.path, 'repository'), '--kit', kit, ...secret));
  succeeded(await machine.run('push'));
});
after(() => folder.remove());

describe('on a full disk', { skip: !existsSync('/dev/full') && 'no /dev/full here' }, () => {
  const reading = ['export latest', 'cat latest:state/openclaw.json', 'ls latest', "find '*'"];
  for (const verb of [...reading, 'status', 'push']) {
    test(`the answer of ${verb} that is lost is told`, async () => {
      for (const json of ['', '--json']) {
        const answer = await shell(`${verb} ${json}`, '>/dev/full');
        assert.equal(answer.exit, 7, answer.stderr);
        assert.match(answer.stderr, /cannot write to stdout: no space is left/);
        assert.doesNotMatch(answer.stderr, /^ +at /m);
      }
    });
  }

  test('a push whose talk is lost is a push all the same', async () => {
    const answer = await shell('push --verbose', '2>/dev/full');
    assert.equal(answer.exit, 0);
    assert.match(answer.stdout, /^pushed openclaw/);
  });
});

async function shell(words: string, redirected: string): Promise<RunResult> {
  const command = `'${process.execPath}' '${MAIN}' ${words} ${redirected}`;
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: machine.home,
    STATEFERRY_HOME: machine.settings,
    STATEFERRY_PASSPHRASE_FILE: machine.passphraseFile,
  };
  const { signal } = new AbortController();
  return runProcess('/bin/sh', ['-c', command], { env, timeoutMs: 60_000, signal });
}
