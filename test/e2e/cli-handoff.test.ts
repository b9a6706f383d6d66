/** A move with a ticket over a folder, which needs the folder and no addresses. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { handoffWorld, ticketOf, type HandoffWorld } from '../support/handoff-world.ts';
import { makeFolder, succeeded } from '../support/cli-run.ts';
import { describeHandoff } from './handoff-suite.ts';

describe('a ticket of a folder', () => {
  describeHandoff('folder', async (folder) => ({
    location: join(folder, 'repository'),
    credentials: {},
  }));
});

describe('a folder that is not where it was', () => {
  const folder = makeFolder();
  const repository = join(folder.path, 'repository');
  const moved = join(folder.path, 'elsewhere');
  let world: HandoffWorld;
  before(async () => {
    world = await handoffWorld(folder.path, 'old', { location: repository, credentials: {} });
  });
  after(() => {
    world.close();
    folder.remove();
  });

  test('a killed handoff is known, and taken back with the fence', async () => {
    await world.startGateway();
    await world.killedAtFence();
    assert.ok(existsSync(world.dropIn));
    assert.ok(!world.isRunning());
    const status = succeeded(await world.run('status', '--json')).last();
    const [line] = status['handoffs'] as { state: string }[];
    assert.equal(line?.state, 'interrupted');
    succeeded(await world.run('handoff', '--cancel'));
    assert.ok(world.isRunning());
    assert.ok(!existsSync(world.dropIn));
  });

  test('garbage in place of the claim may hide one: only a person lifts the fence', async () => {
    ticketOf(await world.run('handoff', '--yes'));
    const [id] = readdirSync(join(repository, 'grants')).filter((name) => name !== 'trial');
    const claim = join(repository, 'claims', id ?? '');
    mkdirSync(join(repository, 'claims'), { recursive: true });
    writeFileSync(claim, Buffer.alloc(1024));
    const refused = await world.run('handoff', '--cancel', '--yes', '--json');
    assert.equal(refused.exit, 23, refused.stdout);
    assert.match(String(refused.last()['message']), /whose claim cannot be read/);
    assert.ok(existsSync(world.dropIn));
    rmSync(claim);
    succeeded(await world.run('handoff', '--cancel'));
    assert.ok(world.isRunning());
  });

  test('is named with -r; a gateway that runs all the same is pointed out', async () => {
    const ticket = ticketOf(await world.run('handoff', '--yes'));
    renameSync(repository, moved);
    const bob = world.newcomer('bob');
    const lost = await bob.run('pull', ticket, '--yes', '--json');
    assert.equal(lost.exit, 10, lost.stdout);
    assert.match(String(lost.last()['hint']), /-r DIR/);
    succeeded(await bob.run('pull', ticket, '-r', moved, '--yes', '--no-restart'));
    await world.startGateway();
    const { attention } = succeeded(await world.run('status', '--json')).last();
    const codes = (attention as { code: string }[]).map(({ code }) => code);
    assert.ok(codes.includes('handed-off-alive'), codes.join());
  });
});

describe('a new machine whose clock is a day off', () => {
  const folder = makeFolder();
  let world: HandoffWorld;
  before(async () => {
    const location = join(folder.path, 'repository');
    world = await handoffWorld(folder.path, 'old', { location, credentials: {} });
  });
  after(() => {
    world.close();
    folder.remove();
  });

  test('takes over all the same, and its receipt has the time of the store', async () => {
    const ticket = ticketOf(await world.run('handoff', '--yes', '--expires', '1h'));
    const bob = world.newcomer('bob');
    const behind = await bob.runAt(-DAY_MS, 'pull', ticket, '--dry-run', '--json');
    assert.equal(succeeded(behind).last()['dryRun'], true);
    succeeded(await bob.runAt(DAY_MS, 'pull', ticket, '--yes', '--no-restart'));
    const { handoffs } = succeeded(await world.run('status', '--json')).last();
    const [line] = handoffs as { state: string; confirmedAt: string; takenAt: string }[];
    assert.equal(line?.state, 'confirmed');
    assert.ok(Date.parse(line.confirmedAt) - Date.parse(line.takenAt) < DAY_MS / 2);
    const late = succeeded(await world.run('push'));
    assert.match(late.stderr, /was handed off to .* this is the copy that stayed behind/);
  });
});

const DAY_MS = 24 * 3_600_000;

describe('a claim that somebody removes', () => {
  const folder = makeFolder();
  const repository = join(folder.path, 'repository');
  let world: HandoffWorld;
  before(async () => {
    world = await handoffWorld(folder.path, 'old', { location: repository, credentials: {} });
  });
  after(() => {
    world.close();
    folder.remove();
  });
  const handoffNow = async (): Promise<{ state: string; claimGone: boolean }> => {
    const { handoffs } = succeeded(await world.run('status', '--json')).last();
    const [line] = handoffs as { state: string; claimGone: boolean }[];
    assert.ok(line);
    return line;
  };

  test('is remembered where it was seen, and the fence stays', async () => {
    const ticket = ticketOf(await world.run('handoff', '--yes'));
    const dora = world.newcomer('dora');
    succeeded(await dora.run('pull', ticket, '--yes', '--no-restart'));
    assert.equal((await handoffNow()).state, 'confirmed');
    for (const folder of ['claims', 'receipts']) {
      for (const name of readdirSync(join(repository, folder))) {
        if (name !== 'trial') rmSync(join(repository, folder, name));
      }
    }
    const seen = await handoffNow();
    assert.equal(seen.state, 'taken');
    assert.equal(seen.claimGone, true);
    const refused = await world.run('handoff', '--cancel', '--yes', '--json');
    assert.equal(refused.exit, 23, refused.stdout);
    assert.ok(existsSync(world.dropIn));
    // And the ticket is worthless from now on.
    const late = await world.newcomer('emil').run('pull', ticket, '--yes', '--json');
    assert.equal(late.exit, 22, late.stdout);
  });
});

test('a gateway that comes back by a ticket is let start here again', async () => {
  const folder = makeFolder();
  const location = join(folder.path, 'repository');
  const world = await handoffWorld(folder.path, 'old', { location, credentials: {} });
  try {
    const away = ticketOf(await world.run('handoff', '--yes'));
    const bob = world.newcomer('bob');
    succeeded(await bob.run('pull', away, '--yes', '--no-restart'));
    assert.ok(existsSync(world.dropIn));
    succeeded(await bob.runAsMember('join', location, '--machine', 'bob'));
    const back = ticketOf(await bob.runAsMember('handoff', '--yes'));
    const pulled = await world.run('pull', back, '--yes', '--no-restart', '--json');
    assert.doesNotMatch(succeeded(pulled).stdout, /fence-stays/);
    assert.ok(!existsSync(world.dropIn));
    assert.match(world.systemctlDiary(), /enable openclaw-gateway\.service\n$/);
    const { handoffs } = succeeded(await world.run('status', '--json')).last();
    assert.deepEqual(handoffs, []);
  } finally {
    world.close();
    folder.remove();
  }
});
