/** The whole move with a ticket, the same on every kind of place. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  handoffWorld,
  ticketOf,
  UNIT,
  type HandoffWorld,
  type PlaceOfWorld,
} from '../support/handoff-world.ts';
import { makeFolder, PASSPHRASE, succeeded, type Answer } from '../support/cli-run.ts';

/** Services and their start are tried elsewhere. */
const LANDING = ['--yes', '--json', '--no-restart'];

export function describeHandoff(
  kind: string,
  make: (folder: string) => Promise<PlaceOfWorld>,
  /** Called when only new machines act. */
  newMachinesAct: (isSo: boolean) => void = () => undefined,
): void {
  const folder = makeFolder();
  let world: HandoffWorld;
  before(async () => {
    world = await handoffWorld(folder.path, `${kind}-old`, await make(folder.path));
  });
  after(() => {
    world.close();
    folder.remove();
  });
  const asNewcomer = async <T>(act: () => Promise<T>): Promise<T> => {
    newMachinesAct(true);
    try {
      return await act();
    } finally {
      newMachinesAct(false);
    }
  };

  test('cancelled: the gateway runs again, the fence is gone, and the ticket is worthless', async () => {
    await world.startGateway();
    const ticket = ticketOf(await world.run('handoff', '--yes'));
    assert.ok(!world.isRunning());
    assert.ok(existsSync(world.dropIn));
    const cancelled = succeeded(await world.run('handoff', '--cancel', '--json')).last();
    assert.equal(cancelled['isStarted'], true);
    assert.ok(world.isRunning());
    assert.ok(!existsSync(world.dropIn));
    assert.match(world.systemctlDiary(), new RegExp(`disable ${UNIT}[^]*enable ${UNIT}`));
    const dora = world.newcomer(`${kind}-dora`);
    const refused = await asNewcomer(() => dora.run('pull', ticket, ...LANDING));
    assert.equal(refused.exit, 22, refused.stderr + refused.stdout);
    assert.equal(refused.last()['code'], 'ticket-cancelled');
    assert.deepEqual(readdirSync(dora.machine.home), []);
  });

  test('one machine takes over; the other is told; the old one sees it all', async (context) => {
    const handed = await world.run('handoff', '--yes');
    const ticket = ticketOf(handed);
    assert.ok(ticket.length <= 320, String(ticket.length));
    assert.doesNotMatch(handed.stderr, new RegExp(ticket.slice(0, 24)));
    assert.ok(!world.isRunning());
    const fence = readFileSync(world.dropIn, 'utf8');
    assert.match(fence, /ConditionPathExists=!.*fence-openclaw/);
    assert.match(fence, /handoff openclaw --cancel takes it back/);

    const offered = succeeded(await world.run('status', '--json')).last();
    assert.equal(handoffIn(offered)['state'], 'offered');

    const bob = world.newcomer(`${kind}-bob`);
    const rehearsed = await asNewcomer(() => bob.run('pull', ticket, '--dry-run', '--json'));
    assert.equal(succeeded(rehearsed).last()['dryRun'], true);
    const stillOffered = succeeded(await world.run('status', '--json')).last();
    assert.equal(handoffIn(stillOffered)['state'], 'offered');

    const pulled = await asNewcomer(() => bob.run('pull', ticket, ...LANDING));
    const summary = succeeded(pulled).last();
    assert.equal(summary['install'], 'openclaw');
    assert.ok((summary['checklist'] as { ok: boolean }[]).every(({ ok }) => ok));
    assert.ok(existsSync(join(bob.machine.home, '.openclaw/openclaw.json')));

    const confirmed = succeeded(await world.run('status', '--json')).last();
    const line = handoffIn(confirmed);
    assert.equal(line['state'], 'confirmed');
    assert.equal(line['ok'], true);
    assert.equal(typeof line['takenBy'], 'string');

    succeeded(await bob.runAsMember('join', world.location));
    const [first] = pushedOf(await bob.runAsMember('push', '--json'));
    const { bytes = 0, bytesNew = bytes, bytesStored = 0 } = first ?? {};
    context.diagnostic(`its first push: ${bytes} bytes, ${bytesNew} new, ${bytesStored} stored`);
    // What was relocated; without adoption everything is new.
    assert.ok(bytesNew > 0 && bytesNew < 100_000);

    const carol = world.newcomer(`${kind}-carol`);
    const late = await asNewcomer(() => carol.run('pull', ticket, ...LANDING));
    assert.equal(late.exit, 22);
    assert.equal(late.last()['code'], 'ticket-used');
    assert.deepEqual(readdirSync(carol.machine.home), []);

    const again = await asNewcomer(() => bob.run('pull', ticket, ...LANDING));
    assert.equal(succeeded(again).last()['install'], 'openclaw');

    const cancel = await world.run('handoff', '--cancel', '--yes', '--json');
    assert.equal(cancel.exit, 23, cancel.stdout);
    assert.ok(existsSync(world.dropIn));
    assert.equal(
      handoffIn(succeeded(await world.run('status', '--json')).last())['state'],
      'confirmed',
    );
    const twice = await world.run('handoff', '--yes');
    assert.equal(twice.exit, 2);

    for (const machine of [world.old, bob.machine]) {
      const kept = readFileSync(join(machine.settings, 'settings.json'), 'utf8');
      assert.ok(!kept.includes(PASSPHRASE));
      assert.ok(!kept.includes(ticket.slice(4, 40)));
    }
  });
}

type Pushed = { readonly bytes: number; readonly bytesNew: number; readonly bytesStored: number };

const pushedOf = (answer: Answer): Pushed[] => succeeded(answer).last()['snapshots'] as Pushed[];

function handoffIn(summary: Record<string, unknown>): Record<string, unknown> {
  const [line] = summary['handoffs'] as Record<string, unknown>[];
  assert.ok(line, 'there is a handoff');
  return line;
}
