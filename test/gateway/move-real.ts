/**
 * One suite for every generation of the real product: an install made by its own command is pushed to a bucket while
 * its gateway runs and agents keep talking, pulled in another home under another user name, and goes on where it was.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { rootsOf } from '../../src/gateway/contents/roots.ts';
import { discoverInstalls, inspect, type Inspected } from '../../src/gateway/discover/discover.ts';
import { BRANDS } from '../../src/gateway/install/brands.ts';
import { gatewayStatus } from '../../src/gateway/product/gateway-status.ts';
import { findProductCli } from '../../src/gateway/product/product-cli.ts';
import { listens } from '../../src/gateway/running/running.ts';
import { runProcess } from '../../src/process/run.ts';
import { startLlmDouble, type LlmDouble } from '../support/llm-double.ts';
import type { Product } from '../support/products.ts';
import {
  installAt,
  onboard,
  runTurn,
  startGateway,
  TOKEN,
  type RealInstall,
  type RunningGateway,
} from '../support/real-install.ts';
import { freePort } from '../support/ports.ts';
import { startSlowLine, type SlowLine } from '../bench/line/slow-line.ts';
import { makeBucket, type TestBucket } from '../support/servers-buckets.ts';
import type { TestServer } from '../support/servers.ts';
import { noise } from '../support/tree.ts';
import { ferryIn, mustSucceed, type Ferry } from './ferry.ts';
import { assertLanded } from './landed.ts';
import { hideHome } from './old-home.ts';
import { movedText, plantByHand } from './planted.ts';
import { addCronJob, cronJobs, sessionsPerAgent } from './product-says.ts';
import { assertWhole, recordsOf, sum } from './records.ts';

/** Slow enough that agents say something while packs are on their way. */
const LINE = { roundTripMs: 20, bitsPerSecond: 24_000_000 };
const BALLAST_BYTES = 32 * 1024 * 1024;
const SIGNAL = new AbortController().signal;
const UID = process.getuid?.() ?? 0;

export function defineMoveSuite(product: Product, server: TestServer): void {
  const folder = mkdtempSync(join(tmpdir(), 'real-'));
  const [alice, bob] = [`${folder}/homes/alice`, `${folder}/users/bob`];
  let llm: LlmDouble;
  let bucket: TestBucket;
  let location: string;
  let line: SlowLine;
  let old: RealInstall;
  let gateway: RunningGateway;
  let sessionsBefore: Map<string, number>;
  /** Per agent, when the push began and when it had ended. */
  const recordsAt: { began: Map<string, number>; ended: Map<string, number> } = {
    began: new Map(),
    ended: new Map(),
  };

  before(async () => {
    llm = await startLlmDouble();
    bucket = await makeBucket(server);
    line = await startSlowLine(server.endpoint, LINE);
    location = locationAt(server.endpoint);
    mkdirSync(alice, { recursive: true, mode: 0o750 });
    old = installAt({ product, home: alice }, { port: await freePort(), token: TOKEN });
    await onboard(old);
    plantByHand(old, llm.baseUrl);
    // Enough for a push of some seconds on that line.
    writeFileSync(`${alice}/projects/work-space/ballast`, noise(1, BALLAST_BYTES));
    gateway = await startGateway(old);
  });
  const locationAt = (endpoint: string): string =>
    `s3://${bucket.options.bucket}/ferry?endpoint=${endpoint}&region=${server.region}&addressing=path`;
  after(async () => {
    await gateway.stop();
    await llm.close();
    await line.close();
    await bucket.remove();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const ferryOf = (name: string, env: RealInstall['env']): Ferry =>
    ferryIn({ settings: join(folder, `ferry-${name}`), env, server });

  test('found as it is, and running or not is known', async () => {
    for (const agent of old.agents) await gateway.turn(agent, `A first word to ${agent}.`);
    await addCronJob(old);
    const from = await inspectAt(old);
    const { install } = from;
    assert.deepEqual([install.running, install.pid !== undefined], [true, true]);
    assert.equal(install.cliVersion, product.version);
    assert.deepEqual(install.notices, []);
    assert.deepEqual(
      install.agents.map((agent) => [agent.id, agent.sessions > 0]),
      old.agents.map((id) => [id, true]),
    );
    const { roots, notices } = rootsOf({ ...from, env: old.env });
    assert.deepEqual(notices, []);
    assert.deepEqual(
      roots.map((root) => root.name),
      ['state', 'workspace'],
    );
    const { stateDir, configPath, home } = install;
    const target = { home, stateDir, configPath, profile: 'default' };
    const cli = await findProductCli(
      from.brand,
      { run: runProcess, env: old.env },
      { target, signal: SIGNAL },
    );
    assert.ok(cli);
    const status = await gatewayStatus(cli, { target, signal: SIGNAL });
    assert.equal(status?.cliConfig, configPath);
  });

  test('pushed while agents talk: nothing fails, and the talk goes on', async () => {
    const ferry = ferryOf('alice', old.env);
    const slow = locationAt(line.endpoint);
    mustSucceed(await ferry.run('init', slow, '--kit', join(folder, 'kit.txt')));
    sessionsBefore = await sessionsPerAgent(old);
    const talk = startTalk(old, gateway);
    try {
      await talk.oneEach();
      recordsAt.began = recordsPerAgent(old);
      const before = talk.count();
      const { summary } = mustSucceed(await ferry.run('push'));
      const during = talk.count() - before;
      assert.ok(during >= 3, `${during} turns while the push ran`);
      recordsAt.ended = recordsPerAgent(old);
      await talk.oneEach();
      const [snapshot] = summary['snapshots'] as { problems: unknown[]; files: number }[];
      assert.deepEqual(snapshot?.problems, []);
      assert.ok((snapshot?.files ?? 0) > 20);
    } finally {
      await talk.stop();
    }
    assert.deepEqual(await sessionsPerAgent(old), sessionsBefore);
  });

  test('what was captured is whole', async () => {
    const into = join(folder, 'looked-at');
    const ferry = ferryOf('looker', old.env);
    mustSucceed(await ferry.run('pull', '-r', location, '--into', into));
    const { databases, transcripts } = assertWhole(into);
    assert.ok(
      databases > 0 || transcripts >= 3,
      `${databases} databases, ${transcripts} transcripts`,
    );
    let more = 0;
    for (const agent of old.agents) {
      const captured = sum(recordsOf(join(into, 'state'), agent));
      const [least, most] = [recordsAt.began.get(agent) ?? 0, recordsAt.ended.get(agent) ?? 0];
      assert.ok(
        captured >= least && captured <= most,
        `${agent}: ${least} ≤ ${captured} ≤ ${most}`,
      );
      if (captured > least) more += 1;
    }
    assert.ok(more > 0, 'turns that came after the push had begun were captured');
  });

  test('pulled in another home it goes on where it was', async () => {
    await gateway.stop();
    const configBefore = readFileSync(old.configPath, 'utf8');
    assert.match(configBefore, /long ago[^]*the end/, 'the product left the notes in the config');
    const hidden = hideHome(alice);
    after(() => hidden.close());
    const now = installAt({ product, home: bob }, old);
    mkdirSync(bob, { recursive: true, mode: 0o750 });
    // What a person has who tried the product there first.
    const fresh = installAt({ product, home: bob }, { port: await freePort(), token: now.token });
    await onboard(fresh);
    gateway = await startGateway(fresh);
    const ferry = ferryOf('bob', now.env);
    const answer = mustSucceed(await ferry.run('pull', '-r', location));
    assert.equal(await listens(fresh.port, SIGNAL), false, 'its gateway was stopped');
    const plan = answer.lines.find(({ type }) => type === 'plan') as { gateway: { pid: number } };
    assert.ok(plan.gateway.pid > 0);
    assertLanded(answer.summary);
    assert.equal(readFileSync(now.configPath, 'utf8'), movedText(configBefore, alice, bob));
    const { undo } = answer.summary as unknown as PullAnswer;
    assert.match(undo.command, /^stateferry undo openclaw$/);
    assert.match(undo.aside[0]?.aside ?? '', /before-stateferry/);
    assert.equal(statSync(join(bob, '.openclaw')).mode & 0o777, 0o700);
    assert.equal(statSync(now.configPath).mode & 0o777, 0o600);
    assert.deepEqual(await sessionsPerAgent(now), sessionsBefore);

    const before = new Map(now.agents.map((agent) => [agent, recordsOf(now.stateDir, agent)]));
    // A process of its own would begin anew below the old home.
    await runTurn(now, 'work', 'Are you there after the move?');
    gateway = await startGateway(now);
    for (const agent of now.agents) {
      await gateway.turn(agent, 'And through the new gateway?');
      const [then, later] = [before.get(agent) ?? new Map(), recordsOf(now.stateDir, agent)];
      assert.deepEqual([...later.keys()], [...then.keys()], `no new transcript of ${agent}`);
      assert.ok(sum(later) > sum(then), `the old transcript of ${agent} grew`);
    }
    assert.ok((await cronJobs(now)).includes('nightly'));
    assert.deepEqual(await sessionsPerAgent(now), sessionsBefore);
    hidden.assertUntouched();
  });
}

type PullAnswer = {
  readonly undo: { readonly command: string; readonly aside: readonly { aside: string }[] };
};

async function inspectAt(install: RealInstall): Promise<Inspected> {
  const { home, env } = install;
  const request = { home, env, brands: BRANDS, uid: UID };
  const [only, ...others] = await discoverInstalls(request, SIGNAL);
  assert.ok(only);
  assert.deepEqual(others, []);
  return inspect(only, { ...request, cli: { about: 'all', run: runProcess, env } }, SIGNAL);
}

const recordsPerAgent = ({ stateDir, agents }: RealInstall): Map<string, number> =>
  new Map(agents.map((agent) => [agent, sum(recordsOf(stateDir, agent))]));

type Talk = {
  count(): number;
  /** When every agent has had one more whole turn. */
  oneEach(): Promise<void>;
  stop(): Promise<void>;
};

/** All agents at once, each turn after turn without a pause. */
function startTalk(install: RealInstall, gateway: RunningGateway): Talk {
  const counts = new Map(install.agents.map((agent) => [agent, 0]));
  const waiting: (() => void)[] = [];
  let isStopping = false;
  const talk = async (agent: string): Promise<void> => {
    for (let turn = 1; !isStopping; turn++) {
      await gateway.turn(agent, `Turn ${turn} while files are read.`);
      counts.set(agent, turn);
      for (const look of waiting) look();
    }
  };
  const talking = Promise.all(install.agents.map(talk));
  return {
    count: () => sum(counts),
    oneEach: async () => {
      const begun = new Map(counts);
      const { promise, resolve } = Promise.withResolvers<void>();
      // The turn that runs now began before.
      const isDone = ([agent, count]: [string, number]): boolean =>
        count >= (begun.get(agent) ?? 0) + 2;
      waiting.push(() => [...counts].every(isDone) && resolve());
      await Promise.race([promise, talking]);
    },
    stop: async () => {
      isStopping = true;
      await talking;
    },
  };
}
