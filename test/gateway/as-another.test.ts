/** An install of one brand lands as a profile of another, and goes on there: the same sessions, the same workspaces. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { brandDouble } from '../support/brand-doubles.ts';
import { startLlmDouble, type LlmDouble } from '../support/llm-double.ts';
import type { Product } from '../support/products.ts';
import {
  freePort,
  installAt,
  onboard,
  startGateway,
  TOKEN,
  type RealInstall,
  type RunningGateway,
} from '../support/real-install.ts';
import { ferryIn, mustSucceed, type Ferry } from './ferry.ts';
import { assertLanded } from './landed.ts';
import { hideHome, type HiddenHome } from './old-home.ts';
import { plantByHand } from './planted.ts';
import { addCronJob, cronJobs, sessionsPerAgent } from './product-says.ts';
import { recordsOf, sum } from './records.ts';
import { gatewayRing } from './row-ring.ts';

await gatewayRing('gateway-2026.3.2', define);

function define(openclaw: Product): void {
  const folder = mkdtempSync(join(tmpdir(), 'as-another-'));
  const [alice, bob] = [`${folder}/homes/alice`, `${folder}/users/bob`];
  const repository = `${folder}/usb`;
  let llm: LlmDouble;
  let old: RealInstall;
  let now: RealInstall;
  let gateway: RunningGateway | undefined;
  let hidden: HiddenHome | undefined;
  const ferryOf = (name: string, { env }: RealInstall): Ferry =>
    ferryIn({ settings: join(folder, `ferry-${name}`), env });

  before(async () => {
    llm = await startLlmDouble();
    for (const home of [alice, bob]) mkdirSync(home, { recursive: true, mode: 0o750 });
    const at = { port: await freePort(), token: TOKEN };
    old = installAt({ product: brandDouble(openclaw, 'atomicbot'), home: alice }, at);
    const state = '.openclaw-work';
    const variables = {
      OPENCLAW_PROFILE: 'work',
      OPENCLAW_STATE_DIR: join(bob, state),
      OPENCLAW_CONFIG_PATH: join(bob, state, 'openclaw.json'),
    };
    now = installAt({ product: openclaw, home: bob, stateDirName: state, variables }, at);
    await onboard(old);
    plantByHand(old, llm.baseUrl);
    gateway = await startGateway(old);
    for (const agent of old.agents) await gateway.turn(agent, `A first word to ${agent}.`);
    await addCronJob(old);
    await gateway.stop();
    const ferry = ferryOf('alice', old);
    mustSucceed(await ferry.run('init', repository, '--kit', join(folder, 'kit.txt')));
    mustSucceed(await ferry.run('push'));
    hidden = hideHome(alice);
  });
  after(async () => {
    await gateway?.stop();
    await llm.close();
    hidden?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('AtomicBot lands as the profile work of OpenClaw', async () => {
    const ferry = ferryOf('bob', now);
    const wishes = ['pull', '-r', repository, '--as', 'openclaw:work'];
    const rehearsed = mustSucceed(await ferry.run(...wishes, '--dry-run')).summary;
    const { summary, lines } = mustSucceed(await ferry.run(...wishes));
    assertLanded(summary);
    assert.equal(summary['install'], 'openclaw:work');
    assert.equal(summary['source'], 'atomicbot');
    assert.deepEqual(rehearsed['relocated'], summary['relocated']);
    assert.ok(existsSync(join(bob, '.openclaw/workspace-work/SOUL.md')));
    assert.ok(!existsSync(join(bob, '.openclaw-work/workspace')));
    assert.ok(!existsSync(join(bob, '.atomicbot')));
    const config = readFileSync(now.configPath, 'utf8');
    assert.match(config, /long ago[^]*the end/);
    assert.ok(config.includes(`"${bob}/.openclaw/workspace-work"`), config);
    assert.ok(config.includes(`"${bob}/.openclaw-work/agents/lab/agent"`));
    assert.ok(!lines.some((line) => JSON.stringify(line).includes(TOKEN)));
    for (const [agent, count] of await sessionsPerAgent(now)) {
      assert.equal(count, 1, `sessions of ${agent}`);
    }
    hidden?.assertUntouched();
  });

  test('and goes on there', async () => {
    gateway = await startGateway(now);
    for (const agent of now.agents) {
      const old = recordsOf(now.stateDir, agent);
      await gateway.turn(agent, 'Are you there after the move?');
      const afterTurn = recordsOf(now.stateDir, agent);
      assert.deepEqual([...afterTurn.keys()], [...old.keys()], `no new transcript of ${agent}`);
      assert.ok(sum(afterTurn) > sum(old), `the old transcript of ${agent} grew`);
    }
    assert.ok((await cronJobs(now)).includes('nightly'));
    await gateway.stop();
    assert.ok(!existsSync(join(bob, '.openclaw-work/workspace')));
    hidden?.assertUntouched();
  });
}
