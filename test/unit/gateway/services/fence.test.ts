/** The fence: files of ours beside the service's own, and the service disabled; lifted, everything is as it was. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { FerryError } from '../../../../src/base/errors.ts';
import type { FerryEvent } from '../../../../src/base/events.ts';
import type { ServiceInfo } from '../../../../src/gateway/install/install.ts';
import { liftFence, planFence, raiseFence } from '../../../../src/gateway/services/fence.ts';
import { runProcess, type ProcessRunner } from '../../../../src/process/run.ts';

const NO_ABORT = new AbortController().signal;
const UNIT = 'openclaw-gateway.service';

function world(context: TestContext, answers: Readonly<Record<string, number>> = {}) {
  const home = mkdtempSync(join(tmpdir(), 'fence-'));
  context.after(() => rmSync(home, { recursive: true, force: true }));
  const units = join(home, '.config/systemd/user');
  mkdirSync(units, { recursive: true });
  writeFileSync(join(units, UNIT), '[Service]\nExecStart=openclaw gateway run\n');
  const asked: string[] = [];
  const events: FerryEvent[] = [];
  const run: ProcessRunner = (command, args) => {
    asked.push([command, ...args].join(' '));
    if (command in answers && answers[command] === -1) {
      throw new FerryError('gateway-command', `cannot start ${command}`);
    }
    const stdout = args.includes('is-enabled') ? 'enabled\n' : '';
    const exit = answers[command] ?? 0;
    return Promise.resolve({
      exit,
      signal: null,
      stdout,
      stderr: '',
      durationMs: 1,
      timedOut: false,
      truncated: false,
    });
  };
  const why = 'handed off at 100%';
  const back = 'stateferry handoff openclaw --cancel';
  const request = { file: join(home, 'fence'), why, back, home, uid: 1000 };
  const deps = {
    cliDeps: { run, env: { PATH: '/usr/bin:/bin' } },
    emit: (event: FerryEvent) => void events.push(event),
  };
  const dropIn = join(units, `${UNIT}.d/zz-stateferry-fence.conf`);
  return { home, units, asked, events, request, deps, dropIn };
}

const service = (kind: ServiceInfo['kind'], path: string, name = UNIT): ServiceInfo => ({
  kind,
  name,
  path,
  environmentNames: [],
});

describe('a systemd service', () => {
  test('does not start while the fence is there, and is disabled', async (context) => {
    const { units, asked, request, deps, dropIn, home } = world(context);
    const unit = readFileSync(join(units, UNIT), 'utf8');
    const fence = await planFence(service('systemd', join(units, UNIT)), request, deps, NO_ABORT);
    assert.ok(!existsSync(request.file));
    await raiseFence(fence, request, deps, NO_ABORT);
    const [section, description, condition] = readFileSync(dropIn, 'utf8').split('\n');
    assert.deepEqual([section, condition], ['[Unit]', `ConditionPathExists=!${home}/fence`]);
    assert.match(
      description ?? '',
      /^Description=handed off at 100%%; .* --cancel takes it back, /,
    );
    assert.ok(description?.endsWith(`what stands in ${request.file}`));
    await liftFence(fence, request, deps, NO_ABORT);
    await liftFence(fence, request, deps, NO_ABORT);
    assert.ok(!existsSync(dropIn) && !existsSync(join(units, `${UNIT}.d`)));
    assert.ok(!existsSync(request.file));
    assert.equal(readFileSync(join(units, UNIT), 'utf8'), unit);
    assert.deepEqual(asked.slice(0, 5), [
      `systemctl --user is-enabled ${UNIT}`,
      'systemctl --user daemon-reload',
      `systemctl --user disable ${UNIT}`,
      'systemctl --user daemon-reload',
      `systemctl --user enable ${UNIT}`,
    ]);
  });

  test('keeps drop-ins of the user', async (context) => {
    const { units, request, deps } = world(context);
    const own = join(units, `${UNIT}.d/override.conf`);
    mkdirSync(join(units, `${UNIT}.d`));
    writeFileSync(own, '[Service]\nEnvironment=A=b\n');
    const fence = await planFence(service('systemd', join(units, UNIT)), request, deps, NO_ABORT);
    await raiseFence(fence, request, deps, NO_ABORT);
    await liftFence(fence, request, deps, NO_ABORT);
    assert.ok(existsSync(own));
  });

  test('a place that cannot be written is refused in words', async (context) => {
    const { units, request, deps } = world(context);
    writeFileSync(join(units, `${UNIT}.d`), 'a file is in the way\n');
    const fence = await planFence(service('systemd', join(units, UNIT)), request, deps, NO_ABORT);
    await assert.rejects(
      raiseFence(fence, request, deps, NO_ABORT),
      (error) => error instanceof FerryError && error.code === 'file-write',
    );
  });

  test('without a manager that answers the drop-in stands all the same, and people are told', async (context) => {
    const { units, events, request, deps, dropIn } = world(context, { systemctl: -1 });
    const fence = await planFence(service('systemd', join(units, UNIT)), request, deps, NO_ABORT);
    await raiseFence(fence, request, deps, NO_ABORT);
    assert.ok(existsSync(dropIn));
    assert.ok(events.some((one) => one.type === 'notice' && one.code === 'service-manager-silent'));
  });
});

describe('what the file says to do by hand', () => {
  const said = async (
    { request, deps }: ReturnType<typeof world>,
    info: ServiceInfo | undefined,
  ): Promise<string[]> => {
    await raiseFence(await planFence(info, request, deps, NO_ABORT), request, deps, NO_ABORT);
    const [why, back, , ...lines] = readFileSync(request.file, 'utf8').trimEnd().split('\n');
    assert.equal(why, 'handed off at 100%');
    assert.equal(back, 'To have it back here: stateferry handoff openclaw --cancel');
    return lines.map((line) => line.trim());
  };

  test('of a unit, it is just what lifting does', async (context) => {
    const here = world(context);
    const { units, request, dropIn, home } = here;
    const [command = '', ...more] = await said(here, service('systemd', join(units, UNIT)));
    assert.deepEqual(more, []);
    // The same words, typed in a shell that has no systemctl of the machine's own.
    const bin = join(home, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'systemctl'), `#!/bin/sh\necho "$*" >> '${home}/typed'\n`, {
      mode: 0o755,
    });
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    const shell = { env, timeoutMs: 10_000, signal: NO_ABORT };
    assert.equal((await runProcess('/bin/sh', ['-c', command], shell)).exit, 0);
    assert.ok(!existsSync(dropIn) && !existsSync(request.file));
    const typed = readFileSync(join(home, 'typed'), 'utf8');
    assert.equal(typed, `--user daemon-reload\n--user enable ${UNIT}\n`);
  });

  test('of one of the system, of launchd, of anything else, of none', async (context) => {
    const here = world(context);
    const { file, home } = here.request;
    const label = 'ai.openclaw.gateway';
    const agent = service(
      'launchd',
      join(home, `Library/LaunchAgents/${label}.plist`),
      `${label}.plist`,
    );
    assert.deepEqual(await said(here, agent), [
      `rm '${file}'`,
      `launchctl enable 'gui/1000/${label}'`,
    ]);
    const task = service('scheduled-task', join(home, 'task'), 'OpenClaw Gateway');
    const [, byHand] = await said(here, task);
    assert.equal(byHand, "enable OpenClaw Gateway in the system's own list of services");
    assert.deepEqual(await said(here, undefined), [`rm '${file}'`]);
    const daemon = service('launchd', `/Library/LaunchDaemons/${label}.plist`, `${label}.plist`);
    const [, sudo] = await said(here, daemon);
    assert.equal(sudo, `sudo launchctl enable 'system/${label}'`);
  });
});

describe('other services', () => {
  test('launchd disables and enables its label', async (context) => {
    const { home, asked, request, deps } = world(context);
    const path = join(home, 'Library/LaunchAgents/ai.openclaw.gateway.plist');
    const info = service('launchd', path, 'ai.openclaw.gateway.plist');
    const fence = await planFence(info, request, deps, NO_ABORT);
    await raiseFence(fence, request, deps, NO_ABORT);
    await liftFence(fence, request, deps, NO_ABORT);
    assert.deepEqual(asked, [
      'launchctl disable gui/1000/ai.openclaw.gateway',
      'launchctl enable gui/1000/ai.openclaw.gateway',
    ]);
  });

  test('one that cannot be disabled from here is said', async (context) => {
    const { home, events, request, deps } = world(context);
    const info = service('scheduled-task', join(home, 'task'), 'OpenClaw Gateway');
    await raiseFence(await planFence(info, request, deps, NO_ABORT), request, deps, NO_ABORT);
    assert.ok(events.some((one) => one.type === 'notice' && one.code === 'service-by-hand'));
  });

  test('without a service there is only the file', async (context) => {
    const { asked, request, deps } = world(context);
    await raiseFence(await planFence(undefined, request, deps, NO_ABORT), request, deps, NO_ABORT);
    assert.ok(existsSync(request.file));
    assert.deepEqual(asked, []);
  });
});
