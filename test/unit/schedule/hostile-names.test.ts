/** Names and words that would make a timer, a crontab or a notification say something else than was meant. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { runProcess } from '../../../src/process/run.ts';
import { cronPlan } from '../../../src/schedule/cron.ts';
import { inTurn } from '../../../src/schedule/in-turn.ts';
import { installTimer, removeTimer } from '../../../src/schedule/install-timer.ts';
import { tellAll } from '../../../src/schedule/tell.ts';
import { refuseUnfit, type Timer } from '../../../src/schedule/timer.ts';

const TIMER: Timer = {
  command: ['/usr/bin/true', 'schedule', 'run'],
  environment: { PATH: '/usr/bin:/bin' },
  at: '03:07',
  user: { name: 'alice', uid: 1000, gid: 1000, home: '/home/alice' },
};

test('what is more than one line goes into no timer', () => {
  refuseUnfit(TIMER);
  const evil = '/home/x\n* * * * * root evil';
  const unfit: Timer[] = [
    { ...TIMER, command: ['/usr/bin/node', '--home', evil] },
    { ...TIMER, environment: { PATH: evil } },
    { ...TIMER, user: { ...TIMER.user, home: evil } },
    { ...TIMER, user: { ...TIMER.user, home: '/a\u2028b' } },
    { ...TIMER, user: { ...TIMER.user, name: 'alice\nExecStart=evil' } },
    { ...TIMER, user: { ...TIMER.user, name: '../../root' } },
  ];
  for (const one of unfit) assert.throws(() => refuseUnfit(one), { code: 'usage' });
});

/** As cron does it: a backslash before a percent sign goes, and a bare percent sign ends the command. */
function asCronRunsIt(line: string): string {
  let command = '';
  for (let at = 0, isEscaped = false; at < line.length; at++) {
    const char = line[at] ?? '';
    if (isEscaped && char === '%') command = command.slice(0, -1) + char;
    else if (char === '%') return command;
    else command += char;
    isEscaped = !isEscaped && char === '\\';
  }
  return command;
}

test('whatever is in a path, cron and its shell start that very program', () => {
  for (const name of ['it\'s 100% "$HOME"', 'back\\%slash', '%', "'%'", '\\\\%%', '$(id);`id`']) {
    const timer = { ...TIMER, command: ['printf', '%s', name] };
    const line = cronPlan(timer).crontab?.split('\n')[1] ?? '';
    const command = asCronRunsIt(line.slice('7 * * * * '.length));
    const { stdout } = spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' });
    assert.equal(stdout, name, line);
  }
});

test('lines of others in a crontab stay what they are, byte by byte', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-crontab-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const [file, program] = [join(folder, 'table'), join(folder, 'crontab')];
  writeFileSync(
    program,
    `#!/bin/sh\nif [ "$1" = -l ]; then cat '${file}'; else cat > '${file}'; fi\n`,
  );
  chmodSync(program, 0o755);
  const before = Buffer.from('0 1 * * * /home/jos\u00e9/run \u00ff\n', 'latin1');
  writeFileSync(file, before);
  const deps = { run: runProcess, env: { PATH: `${folder}:/usr/bin:/bin` }, uid: 1000 };
  const { signal } = new AbortController();
  const steps = { judge: () => undefined, record: () => undefined, forget: () => undefined };
  const timer = {
    ...TIMER,
    command: ['/usr/bin/true', 'na\u00efve'],
    user: { ...TIMER.user, home: folder },
  };
  await installTimer(timer, cronPlan(timer), steps, deps, signal);
  const written = readFileSync(file);
  assert.ok(written.subarray(0, before.length).equals(before), written.toString('latin1'));
  assert.match(written.subarray(before.length).toString('utf8'), /true 'na\u00efve'\n/);
  await removeTimer(timer, cronPlan(timer), deps, signal);
  assert.deepEqual(readFileSync(file), before);
});

test('a notification whose words hold what no variable can is told all the same', async () => {
  const message = 'the store said: a\0b\r\nExit: 0';
  const notice = { event: 'failed', machine: 'mac', job: 'check', time: '', code: 'x' } as const;
  const complaints = await tellAll(
    {
      command: 'test "$STATEFERRY_MESSAGE" = "the store said: a b  Exit: 0" && test "$(wc -l)" = 1',
    },
    [{ ...notice, message }],
    undefined,
    { run: runProcess, env: { PATH: '/usr/bin:/bin' }, clock: systemClock },
    new AbortController().signal,
  );
  assert.deepEqual(complaints, []);
});

test('a machine with very many installs, or very many copies, takes one turn of each round', () => {
  const honest = [
    { install: 'openclaw', machine: 'mac' },
    { install: 'openclaw:work', machine: 'mac' },
    { install: 'openclaw', machine: 'vps' },
  ];
  const flood = Array.from({ length: 500 }, (_, number) => ({
    install: `openclaw:n${number}`,
    machine: number % 2 === 0 ? 'thief' : `made-up-${number}~thief`,
  }));
  const turns = Array.from({ length: 12 }, (_, turn) => inTurn([...flood, ...honest], turn) ?? '');
  const count = (wanted: string): number => turns.filter((one) => one === wanted).length;
  assert.deepEqual(
    [count('openclaw@mac'), count('openclaw:work@mac'), count('openclaw@vps')],
    [2, 2, 4],
  );
  assert.equal(inTurn([], 7), undefined);
});
