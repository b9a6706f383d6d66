/**
 * Three installs of one home: the default one, the profile `work`, and `--dev`. The workspaces of the profiles lie in
 * the default one's state dir: a profile that travels alone takes its own along.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { startLlmDouble, type LlmDouble } from '../support/llm-double.ts';
import type { Product } from '../support/products.ts';
import {
  configure,
  installAt,
  onboard,
  runTurn,
  startGateway,
  TOKEN,
  type RealInstall,
} from '../support/real-install.ts';
import { freePort } from '../support/ports.ts';
import { ferryIn, mustSucceed, type Ferry, type FerryAnswer } from './ferry.ts';
import { assertLanded } from './landed.ts';
import { hideHome, type HiddenHome } from './old-home.ts';
import { recordsOf, sum } from './records.ts';
import { gatewayRing } from './row-ring.ts';

await gatewayRing('gateway-2026.3.2', defineProfiles);

const PROFILES = [
  { install: 'openclaw', stateDirName: '.openclaw', workspace: 'workspace', flags: [] },
  {
    install: 'openclaw:work',
    stateDirName: '.openclaw-work',
    workspace: 'workspace-work',
    flags: ['--profile', 'work'],
  },
  {
    install: 'openclaw:dev',
    stateDirName: '.openclaw-dev',
    workspace: 'workspace-dev',
    flags: ['--dev'],
  },
] as const;

function defineProfiles(product: Product): void {
  const folder = mkdtempSync(join(tmpdir(), 'profiles-'));
  const alice = `${folder}/homes/alice`;
  const [bob, carol] = [`${folder}/users/bob`, `${folder}/users/carol`];
  const repository = `${folder}/usb`;
  const kept = (home: string, workspace: string): string =>
    join(home, '.openclaw', workspace, 'KEPT.md');
  let llm: LlmDouble;
  let hidden: HiddenHome | undefined;
  const ports = new Map<string, number>();
  const at = (home: string, install: string): RealInstall => {
    const profile = PROFILES.find((one) => one.install === install) ?? PROFILES[0];
    const { stateDirName, flags } = profile;
    const place = { product, home, stateDirName, flags, agents: ['main'] };
    return installAt(place, { port: ports.get(install) ?? 0, token: TOKEN });
  };
  const ferryOf = (name: string, home: string): Ferry =>
    ferryIn({ settings: join(folder, `ferry-${name}`), env: at(home, 'openclaw').env });

  before(async () => {
    llm = await startLlmDouble();
    mkdirSync(alice, { recursive: true });
    for (const home of [bob, carol]) mkdirSync(home, { recursive: true });
    for (const { install, workspace } of PROFILES) {
      ports.set(install, await freePort());
      const made = at(alice, install);
      await onboard(made);
      configure(made, llm.baseUrl);
      writeFileSync(kept(alice, workspace), `of ${install}\n`);
    }
    await runTurn(at(alice, 'openclaw:work'), 'main', 'A first word to work.');
  });
  after(async () => {
    await llm.close();
    hidden?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('all of them in one push, and each alone', async () => {
    const ferry = ferryOf('alice', alice);
    mustSucceed(await ferry.run('init', repository, '--kit', join(folder, 'kit.txt')));
    const names = PROFILES.map(({ install }) => install);
    assert.deepEqual(pushed(await ferry.run('push', '--all')), names.toSorted());
    for (const name of names) assert.deepEqual(pushed(await ferry.run('push', name)), [name]);
  });

  test('a profile that lands alone has its workspace', async () => {
    hidden = hideHome(alice);
    const ferry = ferryOf('bob', bob);
    const pull = ['pull', '-r', repository, '--install'];
    assertLanded(mustSucceed(await ferry.run(...pull, 'openclaw:work')).summary);
    assert.equal(readFileSync(kept(bob, 'workspace-work'), 'utf8'), 'of openclaw:work\n');
    assert.ok(!existsSync(kept(bob, 'workspace')), 'the default install stayed where it was');
    await assertGoesOn(at(bob, 'openclaw:work'));
    hidden.assertUntouched();
  });

  test('the others land beside it', async () => {
    const ferry = ferryOf('bob', bob);
    const pull = ['pull', '-r', repository, '--no-doctor', '--no-restart', '--install'];
    for (const name of ['openclaw', 'openclaw:dev']) mustSucceed(await ferry.run(...pull, name));
    await assertAllThere(bob, ferry);
  });

  test('and all of them land together', async () => {
    const ferry = ferryOf('carol', carol);
    const { summary } = mustSucceed(await ferry.run('pull', '-r', repository, '--all'));
    assertLanded(summary);
    assert.equal((summary['installs'] as unknown[]).length, PROFILES.length);
    await assertAllThere(carol, ferry);
  });

  async function assertAllThere(home: string, ferry: Ferry): Promise<void> {
    for (const { install, workspace } of PROFILES) {
      assert.equal(readFileSync(kept(home, workspace), 'utf8'), `of ${install}\n`);
      const { configPath } = at(home, install);
      assert.ok(!readFileSync(configPath, 'utf8').includes(alice), `${configPath} is relocated`);
    }
    const { summary } = mustSucceed(await ferry.run('gateways'));
    const installs = summary['installs'] as { install: string; workspaces: string[] }[];
    assert.deepEqual(
      new Map(installs.map(({ install, workspaces }) => [install, workspaces])),
      new Map(PROFILES.map((one) => [one.install, [`${home}/.openclaw/${one.workspace}`]])),
    );
    hidden?.assertUntouched();
  }
}

function pushed(answer: FerryAnswer): string[] {
  const snapshots = mustSucceed(answer).summary['snapshots'] as {
    install: string;
    problems: unknown[];
  }[];
  for (const { problems } of snapshots) assert.deepEqual(problems, []);
  return snapshots.map(({ install }) => install).toSorted();
}

async function assertGoesOn(install: RealInstall): Promise<void> {
  const before = recordsOf(install.stateDir, 'main');
  const gateway = await startGateway(install);
  await gateway.turn('main', 'Are you there after the move?');
  await gateway.stop();
  const afterTurn = recordsOf(install.stateDir, 'main');
  assert.deepEqual([...afterTurn.keys()], [...before.keys()]);
  assert.ok(sum(afterTurn) > sum(before));
}
