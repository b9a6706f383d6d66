/** What goes wrong on the way: the old machine is left as it was, the new one goes on where it was stopped. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { handoffWorld, ticketOf, type HandoffWorld } from '../support/handoff-world.ts';
import { startPresignedProxy, type PresignedProxy } from '../support/presigned-proxy.ts';
import { ring } from '../support/rings.ts';
import { makeBucket, type TestBucket } from '../support/servers-buckets.ts';
import { startVersitygw } from '../support/servers.ts';
import { makeFolder, succeeded, type Answer } from '../support/cli-run.ts';

const server = await startVersitygw();
const LANDING = ['--yes', '--json', '--no-restart'];

ring('versitygw', server.absent, () => {
  const folder = makeFolder();
  let proxy: PresignedProxy;
  let bucket: TestBucket;
  let world: HandoffWorld;
  before(async () => {
    proxy = await startPresignedProxy(server.endpoint);
    bucket = await makeBucket(server);
    world = await handoffWorld(folder.path, 'old', {
      location: `s3://${bucket.options.bucket}/ferry?endpoint=${proxy.url}&region=us-east-1&addressing=path`,
      credentials: {
        AWS_ACCESS_KEY_ID: server.accessKeyId,
        AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
        AWS_EC2_METADATA_DISABLED: 'true',
      },
    });
    succeeded(await world.run('push'));
    await world.startGateway();
  });
  after(async () => {
    world.close();
    await proxy.close();
    await bucket.remove();
    await server.stop();
    folder.remove();
  });

  const denying = async (
    denies: PresignedProxy['denies'],
    act: () => Promise<Answer>,
  ): Promise<Answer> => {
    proxy.denies = denies;
    try {
      return await act();
    } finally {
      proxy.denies = () => false;
    }
  };
  const isUntouched = async (): Promise<void> => {
    assert.ok(world.isRunning());
    assert.ok(!existsSync(world.dropIn));
    assert.deepEqual(succeeded(await world.run('status', '--json')).last()['handoffs'], []);
  };

  test('credentials that may only write are refused before anything is stopped', async () => {
    const answer = await denying(
      (method, path) => method === 'GET' && path.includes('/packs/'),
      () => world.run('handoff', '--yes'),
    );
    assert.equal(answer.exit, 13, answer.stderr);
    assert.match(answer.stderr, /--aws-profile/);
    await isUntouched();
  });

  test('a push that fails at its last request, and a grant that cannot be stored', async () => {
    for (const [at, denies] of [
      [
        'snapshot',
        (method: string, path: string) => method === 'PUT' && path.includes('/snapshots/'),
      ],
      [
        'grant',
        (method: string, path: string) => method === 'PUT' && /\/grants\/[0-9a-f]{32}$/.test(path),
      ],
    ] as const) {
      writeFileSync(join(world.stateDir, `said-${at}.md`), 'something new\n');
      const answer = await denying(denies, () => world.run('handoff', '--yes'));
      assert.equal(answer.exit, 13, answer.stderr);
      assert.equal(answer.stdout, '');
      await isUntouched();
    }
  });

  test('the network lost midway, the winner goes on and nobody else can; a lost receipt is stored later', async () => {
    const ticket = ticketOf(await world.run('handoff', '--yes', '--expires', '90m'));
    const bob = world.newcomer('bob');
    const lost = await denying(
      () => hasClaimed() && 'cut',
      () => bob.run('pull', ticket, ...LANDING),
    );
    assert.equal(lost.exit, 14, lost.stdout);
    assert.equal(lost.last()['code'], 'store-unreachable');
    const carol = world.newcomer('carol');
    const late = await carol.run('pull', ticket, ...LANDING);
    assert.equal(late.last()['code'], 'ticket-used');
    assert.deepEqual(readdirSync(carol.machine.home), []);

    const landed = await denying(
      (method, path) => method === 'PUT' && path.includes('/receipts/'),
      () => bob.run('pull', ticket, ...LANDING),
    );
    assert.equal(succeeded(landed).last()['install'], 'openclaw');
    assert.ok(landed.lines().some(({ code }) => code === 'receipt-pending'));
    assert.equal(await standing(), 'taken');

    const status = succeeded(await bob.run('status', '--json'));
    assert.ok(status.lines().some(({ code }) => code === 'receipt-stored'));
    assert.equal(await standing(), 'confirmed');
  });

  /** From then on: directories of packs were read before, for the plan. */
  const hasClaimed = (): boolean => {
    const claims = proxy.stored.filter((path) => /\/claims\/[0-9a-f]{32}$/.test(path));
    return claims.length > 0;
  };
  const standing = async (): Promise<unknown> => {
    const { handoffs } = succeeded(await world.run('status', '--json')).last();
    return (handoffs as { state: string }[])[0]?.state;
  };

  test('a ticket piped in, one with a typo, and one that is not alone', async () => {
    const dora = world.newcomer('dora');
    const mistyped = await dora.run('pull', `sft1${'A'.repeat(170)}`, ...LANDING);
    assert.equal(mistyped.last()['code'], 'nothing-opens');
    assert.equal(mistyped.exit, 12);
    const empty = await dora.run('pull', '-', ...LANDING);
    assert.equal(empty.exit, 12);
    const beside = await dora.run('pull', `sft1${'A'.repeat(170)}`, '--into', './here', '--json');
    assert.equal(beside.exit, 2);
  });
});
