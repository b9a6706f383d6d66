/**
 * One row of the table of products: an install of it in alice's home is pushed while its gateway runs, pulled in bob's
 * with alice's hidden, and goes on there as if nothing had happened.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { BrandSetting } from '../../src/gateway/install/brands.ts';
import type { Product } from '../support/products.ts';
import { startLlmDouble, type LlmDouble } from '../support/llm-double.ts';
import {
  installAt,
  onboard,
  startGateway,
  TOKEN,
  type Place,
  type RealInstall,
  type RunningGateway,
} from '../support/real-install.ts';
import { freePort } from '../support/ports.ts';
import { ferryIn, mustSucceed, type Ferry } from './ferry.ts';
import { assertLanded } from './landed.ts';
import { hideHome, type HiddenHome } from './old-home.ts';
import { movedText, plantByHand } from './planted.ts';
import { addCronJob, cronJobs, sessionsPerAgent } from './product-says.ts';
import { recordsOf, sum } from './records.ts';

export type Row = {
  readonly product: Product;
  /** Its name, where that is not the brand's. */
  readonly install?: string;
  /** What differs from how the product does it by itself. */
  readonly placeIn?: (home: string) => Partial<Place>;
  /** What is made by hand after onboarding, config included. */
  readonly plant?: (install: RealInstall, llmBaseUrl: string) => void;
  /** The config as it must be after the move. */
  readonly moved?: (text: string, oldHome: string, newHome: string) => string;
  readonly beforeOnboarding?: (home: string) => void;
  /** More of what onboarding is told. */
  readonly onboard?: (home: string) => readonly string[];
  /** Where the settings make the brand known. */
  readonly brand?: BrandSetting;
  /** What must be true of the old machine once its gateway is stopped. */
  readonly afterStop?: (install: RealInstall, ferry: Ferry) => Promise<void>;
  /** What more must be true of the new one. */
  readonly afterLanding?: (install: RealInstall, old: RealInstall) => void;
};

export function defineRow(row: Row): void {
  const folder = mkdtempSync(join(tmpdir(), 'row-'));
  const [alice, bob] = [`${folder}/homes/alice`, `${folder}/users/bob`];
  const repository = `${folder}/usb`;
  const { product, moved = movedText, plant = plantByHand } = row;
  let llm: LlmDouble;
  let old: RealInstall;
  let gateway: RunningGateway | undefined;
  let hidden: HiddenHome | undefined;
  let configBefore: string;
  const placeOf = (home: string): Place => ({ product, home, ...row.placeIn?.(home) });
  const recordsIn = ({ stateDir }: RealInstall, agent: string): Map<string, number> =>
    recordsOf(stateDir, agent);
  const ferryOf = (name: string, { env }: RealInstall): Ferry => {
    const settings = join(folder, `ferry-${name}`);
    return ferryIn({ settings, env, brands: row.brand === undefined ? [] : [row.brand] });
  };

  before(async () => {
    llm = await startLlmDouble();
    mkdirSync(alice, { recursive: true, mode: 0o750 });
    mkdirSync(bob, { recursive: true, mode: 0o750 });
    const place = placeOf(alice);
    const port = place.defaultPort ?? (await freePort());
    old = installAt(place, { port, token: TOKEN });
    row.beforeOnboarding?.(alice);
    await onboard(old, ...(row.onboard?.(alice) ?? []));
    plant(old, llm.baseUrl);
    gateway = await startGateway(old);
    for (const agent of old.agents) await gateway.turn(agent, `A first word to ${agent}.`);
    await addCronJob(old);
  });
  after(async () => {
    await gateway?.stop();
    await llm.close();
    hidden?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test(`${product.name} ${product.version} is pushed while its gateway runs`, async () => {
    const ferry = ferryOf('alice', old);
    mustSucceed(await ferry.run('init', repository, '--kit', join(folder, 'kit.txt')));
    const { summary } = mustSucceed(await ferry.run('push'));
    const snapshots = summary['snapshots'] as { install: string; problems: unknown[] }[];
    assert.deepEqual(
      snapshots.map(({ install, problems }) => [install, problems]),
      [[row.install ?? product.name, []]],
    );
    await gateway?.stop();
    await row.afterStop?.(old, ferry);
    configBefore = readFileSync(old.configPath, 'utf8');
    assert.match(configBefore, /long ago[^]*the end/, 'the product left the notes in the config');
  });

  test('it lands in another home', async () => {
    hidden = hideHome(alice);
    const now = installAt(placeOf(bob), old);
    const { summary } = mustSucceed(await ferryOf('bob', now).run('pull', '-r', repository));
    assertLanded(summary);
    assert.equal(readFileSync(now.configPath, 'utf8'), moved(configBefore, alice, bob));
    row.afterLanding?.(now, old);
    for (const [agent, count] of await sessionsPerAgent(now)) {
      assert.equal(count, 1, `sessions of ${agent}`);
    }
    hidden.assertUntouched();
  });

  test('and goes on there', async () => {
    const now = installAt(placeOf(bob), old);
    gateway = await startGateway(now);
    for (const agent of now.agents) {
      const before = recordsIn(now, agent);
      await gateway.turn(agent, 'Are you there after the move?');
      const afterTurn = recordsIn(now, agent);
      assert.deepEqual([...afterTurn.keys()], [...before.keys()], `no new transcript of ${agent}`);
      assert.ok(sum(afterTurn) > sum(before), `the old transcript of ${agent} grew`);
    }
    assert.ok((await cronJobs(now)).includes('nightly'));
    await gateway.stop();
    hidden?.assertUntouched();
  });
}
