/** Who pulled with the passphrase or the recovery code, and joins: the nightly job goes on with few bytes. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { handoffWorld, type HandoffWorld, type Newcomer } from '../support/handoff-world.ts';
import { makeFolder, succeeded, type Answer } from '../support/cli-run.ts';

const folder = makeFolder();
let world: HandoffWorld;
/** Of the old machine. */
let snapshot = '';
before(async () => {
  const location = join(folder.path, 'repository');
  world = await handoffWorld(folder.path, 'old', { location, credentials: {} });
  snapshot = pushedOf(await world.run('push', '--json'))[0]?.id ?? '';
});
after(() => {
  world.close();
  folder.remove();
});

const LANDING = ['--yes', '--json', '--no-restart'];

for (const [name, secret] of [
  ['passphrase', (bob: Newcomer) => ['--passphrase-file', bob.machine.passphraseFile]],
  ['recovery code', () => ['--recovery-file', join(world.old.folder, 'kit')]],
] as const) {
  test(`after a pull with the ${name}, the first push stores little`, async (context) => {
    const bob = world.newcomer(name.replace(' ', '-'));
    const at = ['-r', world.location];
    succeeded(await bob.run('pull', snapshot, ...at, ...secret(bob), ...LANDING));
    succeeded(await bob.run('join', world.location, ...secret(bob)));
    const [pushed] = pushedOf(await bob.run('push', '--json'));
    const { bytes = 0, bytesNew = bytes, bytesStored = 0 } = pushed ?? {};
    context.diagnostic(`${bytes} bytes, ${bytesNew} new, ${bytesStored} stored`);
    // What was relocated; without adoption everything is new.
    assert.ok(bytesNew > 0 && bytesNew < 100_000);
    const checked = await bob.run('check', '--read-data', ...at, ...secret(bob), '--json');
    assert.deepEqual(succeeded(checked).last()['problems'], []);
    const [again] = pushedOf(await bob.run('push', '--json'));
    assert.ok(again && again.bytesStored < 16 * 1024);
  });
}

test('an undone pull leaves no key behind: what was here before is pushed as before', async () => {
  const bob = world.newcomer('undoing');
  const member = ['--passphrase-file', bob.machine.passphraseFile];
  succeeded(await bob.run('join', world.location, ...member));
  succeeded(await bob.run('pull', snapshot, ...member, ...LANDING));
  assert.deepEqual(keysOf(bob), ['openclaw']);
  succeeded(await bob.run('undo', '--yes'));
  assert.deepEqual(keysOf(bob), []);
  assert.deepEqual(settingsOf(bob).landed, []);
});

type Settings = {
  readonly landed: unknown[];
  readonly repositories: { readonly machine: { readonly chunkIdKeys?: object } }[];
};

const settingsOf = ({ machine }: Newcomer): Settings =>
  JSON.parse(readFileSync(join(machine.settings, 'settings.json'), 'utf8')) as Settings;

const keysOf = (bob: Newcomer): string[] =>
  Object.keys(settingsOf(bob).repositories[0]?.machine.chunkIdKeys ?? {});

type Pushed = {
  readonly id: string;
  readonly bytes: number;
  readonly bytesNew: number;
  readonly bytesStored: number;
};

const pushedOf = (answer: Answer): Pushed[] => succeeded(answer).last()['snapshots'] as Pushed[];
