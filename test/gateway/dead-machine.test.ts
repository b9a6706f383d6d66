/**
 * The machine is gone. On one that has npm, the keys of the bucket and the recovery kit, somebody types what the kit
 * tells to type, word for word: the assistant comes back, goes on in its old transcripts, and is backed up from there.
 */
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RunResult } from '../../src/process/run.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import {
  exportLines,
  fakeNpx,
  lineOf,
  STATEFERRY_TYPED,
  typeInto,
  type Shell,
} from '../support/kit-shell.ts';
import { startLlmDouble, type LlmDouble } from '../support/llm-double.ts';
import { packedIn } from '../support/packed.ts';
import type { Product } from '../support/products.ts';
import {
  installAt,
  onboard,
  startGateway,
  TOKEN,
  type RealInstall,
  type RunningGateway,
} from '../support/real-install.ts';
import { freePort } from '../support/ports.ts';
import { makeBucket, type TestBucket } from '../support/servers-buckets.ts';
import type { TestServer } from '../support/servers.ts';
import { noise } from '../support/tree.ts';
import { hideHome, type HiddenHome } from './old-home.ts';
import { plantByHand } from './planted.ts';
import { productRing } from './product-ring.ts';
import { sessionsPerAgent } from './product-says.ts';
import { recordsOf, sum } from './records.ts';

await productRing('gateway-2026.3.2', '2026.3.2', defineDeadMachine);

const PASSPHRASE = 'planted-passphrase-of-a-test';
const BALLAST_BYTES = 8 * 1024 * 1024;
const NO_ABORT = new AbortController().signal;

function defineDeadMachine(product: Product, server: TestServer): void {
  const folder = mkdtempSync(join(tmpdir(), 'dead-'));
  const [alice, bob, carol] = [
    `${folder}/homes/alice`,
    `${folder}/users/bob`,
    `${folder}/users/carol`,
  ];
  const kit = join(folder, 'kit.txt');
  let page = '';
  let npx = '';
  let llm: LlmDouble;
  let bucket: TestBucket;
  let store: ObjectStore;
  let old: RealInstall;
  let gateway: RunningGateway | undefined;
  let hidden: HiddenHome | undefined;
  /** Packs that only the newest snapshot needs. */
  let newest: string[];
  const keys = {
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
  };

  before(async () => {
    const { bin } = await packedIn(folder);
    npx = fakeNpx(join(folder, 'npx'), [process.execPath, bin]);
    llm = await startLlmDouble();
    bucket = await makeBucket(server);
    store = await openS3Store(bucket.options);
    for (const home of [alice, bob, carol]) mkdirSync(home, { recursive: true, mode: 0o750 });
    old = installAt({ product, home: alice }, { port: await freePort(), token: TOKEN });
    await onboard(old);
    plantByHand(old, llm.baseUrl);
    writeFileSync(`${alice}/projects/work-space/ballast`, noise(1, BALLAST_BYTES));
    gateway = await startGateway(old);
  });
  after(async () => {
    await gateway?.stop();
    await llm.close();
    await store.close();
    await bucket.remove();
    await server.stop();
    hidden?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const packs = async (): Promise<string[]> => {
    const names: string[] = [];
    for await (const { name } of store.list('packs/', NO_ABORT)) names.push(name);
    return names;
  };

  test('it was backed up every night, and then it was gone', async () => {
    // Where the bucket is, only the environment of this machine says.
    const where = { AWS_ENDPOINT_URL_S3: server.endpoint, AWS_REGION: server.region };
    const secret = { STATEFERRY_PASSPHRASE: PASSPHRASE, AWS_EC2_METADATA_DISABLED: 'true' };
    const path = `${npx}:${old.env['PATH']}`;
    const shell = { env: { ...old.env, ...keys, ...where, ...secret, PATH: path }, cwd: alice };
    const place = `s3://${bucket.options.bucket}/ferry`;
    mustEndWell(await typeInto(shell, `${STATEFERRY_TYPED} init ${place} --kit ${kit}`));
    for (const agent of old.agents) await gateway?.turn(agent, `A first word to ${agent}.`);
    mustEndWell(await typeInto(shell, `${STATEFERRY_TYPED} push`));
    const before = await packs();
    for (const agent of old.agents) await gateway?.turn(agent, `The last word to ${agent}.`);
    mustEndWell(await typeInto(shell, `${STATEFERRY_TYPED} push`));
    newest = (await packs()).filter((name) => !before.includes(name));
    assert.ok(newest.length > 0);
    await gateway?.stop();
    page = readFileSync(kit, 'utf8');
    hidden = hideHome(alice);
  });

  /** A person of this home, with npm and the kit; the assistant's own command comes later. */
  const shellOf = (home: string, more: Readonly<Record<string, string>> = {}): Shell => {
    cpSync(kit, join(home, 'kit.txt'));
    const { env } = installAt({ product, home }, old);
    const path = [npx, product.nodeBinDir, '/usr/bin', '/bin'].join(':');
    return { env: { ...env, PATH: path, AWS_EC2_METADATA_DISABLED: 'true', ...more }, cwd: home };
  };
  /** What the kit says of the bucket's keys, then a line of it. */
  const typed = (line: string): string => `${exportLines(page, keys)}; ${line}`;
  const withProduct = ({ env, cwd }: Shell): Shell => ({
    env: { ...env, PATH: `${product.binDir}:${env['PATH']}` },
    cwd,
  });

  test('without the newest pack, and with the passphrase alone, the one before it comes back', async (context) => {
    const lost = await Promise.all(newest.map((name) => store.get(name, undefined, NO_ABORT)));
    for (const name of newest) await store.delete(name, NO_ABORT);
    context.after(async () => {
      for (const [index, name] of newest.entries()) {
        await store.put(name, lost[index]?.bytes ?? new Uint8Array(), {}, NO_ABORT);
      }
    });
    const shell = withProduct(shellOf(carol, { STATEFERRY_PASSPHRASE: PASSPHRASE }));
    const line = lineOf(page, 'pull').replace(' --recovery-file kit.txt', '');
    const refused = await typeInto(shell, typed(`${line} --no-doctor --no-restart`));
    assert.equal(refused.exit, 15, refused.stderr);
    assert.match(refused.stderr, /^error: snapshot .* is not whole: .* missing, and with /m);
    assert.ok(!readdirSync(carol).includes('.openclaw'), 'nothing was placed');
    const command = /^hint: .*To take it: stateferry (?<words>.*)$/m.exec(refused.stderr);
    assert.ok(command, refused.stderr);
    const words = command.groups?.['words'] ?? '';
    mustEndWell(await typeInto(shell, typed(`${STATEFERRY_TYPED} ${words}`)));
    const now = installAt({ product, home: carol }, old);
    for (const [agent, count] of await sessionsPerAgent(now)) assert.equal(count, 1, agent);
  });

  test('what the kit tells to type brings it back, and says what else is needed', async () => {
    const bare = shellOf(bob);
    const looked = mustEndWell(await typeInto(bare, typed(lineOf(page, 'snapshots'))));
    assert.equal(looked.stdout.match(/^[0-9a-f]{8} .* openclaw /gm)?.length, 2);
    const refused = await typeInto(bare, typed(lineOf(page, 'pull')));
    assert.equal(refused.exit, 5, refused.stderr);
    const wanted = `npm install -g ${product.name}@${product.version}`;
    assert.ok(refused.stderr.includes(wanted), refused.stderr);
    // Which is what that line would do.
    const pulled = mustEndWell(await typeInto(withProduct(bare), typed(lineOf(page, 'pull'))));
    assert.match(pulled.stdout, /^pulled openclaw from /);
    assert.match(pulled.stdout, /^ +ok +doctor: state integrity /m);
    assert.doesNotMatch(pulled.stdout, /FAILED/);
    const now = installAt({ product, home: bob }, old);
    for (const [agent, count] of await sessionsPerAgent(now)) assert.equal(count, 1, agent);
    hidden?.assertUntouched();
  });

  test('a turn goes on in the old transcripts', async () => {
    const now = installAt({ product, home: bob }, old);
    gateway = await startGateway(now);
    for (const agent of now.agents) {
      const before = recordsOf(now.stateDir, agent);
      await gateway.turn(agent, 'Are you there after all that?');
      const afterTurn = recordsOf(now.stateDir, agent);
      assert.deepEqual([...afterTurn.keys()], [...before.keys()], `no new transcript of ${agent}`);
      assert.ok(sum(afterTurn) > sum(before), `the old transcript of ${agent} grew`);
    }
    hidden?.assertUntouched();
  });

  test('the machine takes over the nightly job: it uploads what changed, and no more', async () => {
    const shell = withProduct(shellOf(bob));
    mustEndWell(await typeInto(shell, typed(lineOf(page, 'join'))));
    const pushed = mustEndWell(await typeInto(shell, typed(`${lineOf(page, 'push')} --json`)));
    const summary = JSON.parse(pushed.stdout.trimEnd().split('\n').at(-1) ?? '') as {
      snapshots: { bytes: number; bytesNew: number }[];
    };
    const [snapshot] = summary.snapshots;
    assert.ok(snapshot && snapshot.bytes > 0);
    const share = snapshot.bytesNew / snapshot.bytes;
    assert.ok(share < 0.05, `${snapshot.bytesNew} of ${snapshot.bytes} bytes were new`);
  });
}

function mustEndWell(result: RunResult): RunResult {
  assert.equal(result.exit, 0, `${result.stdout}\n${result.stderr}`);
  return result;
}
