/**
 * The roles on a server that enforces them: each verb with exactly the rights of its role, and each act that a role
 * must not be able to do, refused to it and done by the maintainer with the same request.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { policyFor, type Policy } from '../../src/cli/roles/policy.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import { rejectsWith } from '../contract/store-contract.ts';
import { makeFolder, makeMachine, succeeded, type Answer } from '../support/cli-run.ts';
import {
  handoffWorld,
  ticketOf,
  type HandoffWorld,
  type Newcomer,
} from '../support/handoff-world.ts';
import { ring } from '../support/rings.ts';
import { makeBucket, type TestBucket } from '../support/servers-buckets.ts';
import { startMinio, startVersitygw, type TestServer } from '../support/servers.ts';
import { at } from './infra-files.ts';
import { minioUsers, versitygwUsers, type User, type Users } from '../support/server-users.ts';

const USERS = ['maintainer', 'writer', 'reader', 'handoff', 'newcomer'] as const;
type UserName = (typeof USERS)[number];
const OWN_KINDS = ['packs', 'indexes', 'lists', 'snapshots', 'drills'] as const;
const SHARED_KINDS = [
  'keys',
  'writers',
  'revocations',
  'tombstones',
  'grants',
  'claims',
  'receipts',
] as const;

const versitygw = await startVersitygw({ keepsLongPolicies: true });
ring('versitygw', versitygw.absent, () => describeRoles(versitygw, versitygwUsers(versitygw)));

const minio = await startMinio({ hasUsers: true });
ring('minio', minio.absent, () => describeRoles(minio, minioUsers(minio)));

function describeRoles(server: TestServer, allUsers: Users): void {
  const folder = makeFolder();
  const keyFile = join(folder.path, 'credentials');
  const never = new AbortController().signal;
  const users = new Map<UserName, User>();
  const stores = new Map<UserName, ObjectStore>();
  let bucket: TestBucket;
  let world: HandoffWorld;
  let carol: Newcomer;
  let location = '';
  let writer = '';

  before(async () => {
    bucket = await makeBucket(server);
    for (const name of USERS) users.set(name, await allUsers.add(name));
    for (const [name, credentials] of users) {
      stores.set(name, await openS3Store({ ...bucket.options, credentials }));
    }
    const { bucket: name, endpoint, region = '' } = bucket.options;
    location = `s3://${name}/ferry?endpoint=${endpoint}&region=${region}&addressing=path`;
  });
  after(async () => {
    for (const store of stores.values()) await store.close();
    world.close();
    await bucket.remove();
    folder.remove();
    allUsers.close();
    await server.stop();
  });

  const storeOf = (name: UserName): ObjectStore => {
    const store = stores.get(name);
    assert.ok(store);
    return store;
  };

  /** Whose key every machine has from here on. */
  function use(name: UserName): void {
    const { accessKeyId, secretAccessKey } = users.get(name) ?? assert.fail(name);
    const lines = ['[default]', `aws_access_key_id = ${accessKeyId}`];
    writeFileSync(keyFile, `${lines.join('\n')}\naws_secret_access_key = ${secretAccessKey}\n`);
  }
  const credentials = {
    AWS_SHARED_CREDENTIALS_FILE: keyFile,
    AWS_CONFIG_FILE: join(folder.path, 'none'),
    AWS_EC2_METADATA_DISABLED: 'true',
  };

  /** What the verb prints is what the user may do. */
  async function grant(
    name: UserName,
    run: (...args: string[]) => Promise<Answer>,
    role: string,
    ...place: string[]
  ): Promise<Policy> {
    const principal = allUsers.principal(name);
    const words = [...place, ...(principal === undefined ? [] : ['--principal', principal])];
    const policy = JSON.parse(succeeded(await run('policy', role, ...words)).stdout) as Policy;
    await allUsers.allow(name, bucket.options.bucket ?? '', policy);
    return policy;
  }

  function refused(answer: Answer, role: string): void {
    assert.equal(answer.exit, 13, answer.stderr);
    assert.match(
      answer.stderr,
      new RegExp(`hint: .*the role "${role}": stateferry policy ${role}`),
    );
  }

  /** Each refused to the role, and then done by the maintainer. */
  async function assertBeyond(
    role: UserName,
    acts: Readonly<Record<string, (store: ObjectStore) => Promise<unknown>>>,
  ): Promise<void> {
    for (const [what, act] of Object.entries(acts)) {
      await rejectsWith('store-denied', act(storeOf(role))).catch((error: unknown) => {
        throw new Error(`${role} may ${what}`, { cause: error });
      });
      await act(storeOf('maintainer'));
    }
  }

  const put = (name: string) => (store: ObjectStore) => store.put(name, randomBytes(8), {}, never);
  const drop = (name: string) => (store: ObjectStore) => store.delete(name, never);
  /** It is there: nothing is proved by reading what is absent. */
  const get = (name: string) => async (store: ObjectStore) =>
    assert.ok(await store.get(name, undefined, never), name);

  async function firstIn(prefix: string): Promise<string> {
    for await (const { name } of storeOf('maintainer').list(prefix, never)) return name;
    return assert.fail(`nothing lies in ${prefix}`);
  }

  test('init needs the maintainer, and its key is lent', async () => {
    const machine = makeMachine(folder.path, 'office');
    await grant('maintainer', machine.run, 'maintainer', '-r', location);
    await grant('reader', machine.run, 'reader', '-r', location);
    use('reader');
    const secret = ['--passphrase-file', machine.passphraseFile];
    const kit = ['--kit', join(folder.path, 'kit')];
    refused(await machine.runWith(credentials, 'init', location, ...kit, ...secret), 'maintainer');
    use('maintainer');
    world = await handoffWorld(folder.path, 'old', { location, credentials });
    await grant('writer', world.run, 'writer');
    const { Statement } = await grant('handoff', world.run, 'handoff');
    writer = /^\S+\/packs\/([0-9a-f]{32})\//.exec(Statement[1]?.Resource[0] ?? '')?.[1] ?? '';
    assert.match(writer, /^[0-9a-f]{32}$/);
  });

  test('a writer pushes, and sees how its own pushes stand', async () => {
    use('writer');
    succeeded(await world.run('push'));
    writeFileSync(join(world.stateDir, 'workspace-note.md'), 'a second push\n');
    succeeded(await world.run('push'));
    succeeded(await world.run('status'));
    assert.match(succeeded(await world.old.runWith(credentials, 'snapshots')).stdout, /openclaw/);
  });

  test('a writer’s key opens, joins, hands off and takes away nothing', async () => {
    refused(await world.run('ls', 'latest'), 'reader');
    refused(await world.run('keys'), 'maintainer');
    refused(await world.run('join', location), 'maintainer');
    refused(await world.run('forget', '--keep-last', '1', '--yes'), 'maintainer');
    refused(await world.run('prune', '--yes'), 'maintainer');
    refused(await world.run('repair', '--yes'), 'maintainer');
    refused(await world.run('handoff', '--yes'), 'handoff');
  });

  test('nor does it by any other request', async () => {
    const own = ['packs', 'snapshots'].map((kind) => `${kind}/${writer}/${'a'.repeat(32)}`);
    const stranger = 'f'.repeat(32);
    const foreign = [
      ...OWN_KINDS.map((kind) => `${kind}/${stranger}/${'a'.repeat(32)}`),
      ...SHARED_KINDS.map((kind) => `${kind}/${stranger}`),
    ];
    for (const name of own) await put(name)(storeOf('writer'));
    await put(`grants/${'b'.repeat(32)}`)(storeOf('maintainer'));
    const header = await storeOf('maintainer').get('stateferry.json', undefined, never);
    assert.ok(header);
    await assertBeyond('writer', {
      'read a pack of its own': get(await firstIn(`packs/${writer}/`)),
      'read a key slot': get(await firstIn('keys/')),
      'read a grant': get(await firstIn('grants/')),
      'delete a pack of its own': drop(own[0] ?? ''),
      'delete a snapshot of its own': drop(own[1] ?? ''),
      'delete the header': drop('stateferry.json'),
      // Which puts it back.
      'store a header': (store) => store.put('stateferry.json', header.bytes, {}, never),
      ...Object.fromEntries(foreign.map((name) => [`store ${name}`, put(name)])),
    });
    for (const name of foreign) await drop(name)(storeOf('maintainer'));
  });

  test('a reader pulls, checks, drills and copies out, and changes nothing', async () => {
    use('reader');
    const bob = makeMachine(folder.path, 'reading-bob');
    const secret = ['-r', location, '--passphrase-file', bob.passphraseFile];
    const into = join(folder.path, 'into');
    succeeded(await bob.runWith(credentials, 'pull', '--into', into, ...secret));
    assert.ok(existsSync(join(into, 'state/openclaw.json')));
    succeeded(await bob.runWith(credentials, 'check', '--read-data', ...secret));
    const drilled = succeeded(await world.run('drill', '--json')).last();
    assert.match(String(drilled['record']), new RegExp(`^drills/${writer}/`));
    succeeded(await bob.runWith(credentials, 'mirror', location, join(folder.path, 'mirror')));
    refused(await world.run('push'), 'writer');
    await assertBeyond('reader', {
      'write a pack': put(`packs/${writer}/${'c'.repeat(32)}`),
      'delete a pack': drop(`packs/${writer}/${'c'.repeat(32)}`),
    });
  });

  test('a handoff is made, taken back, made again and taken over', async () => {
    use('handoff');
    await world.startGateway();
    succeeded(await world.run('handoff', '--yes'));
    succeeded(await world.run('handoff', '--cancel'));
    const ticket = ticketOf(await world.run('handoff', '--yes'));
    carol = world.newcomer('carol');
    succeeded(await carol.run('pull', ticket, '--yes', '--no-restart'));
    const status = succeeded(await world.run('status', '--json')).last();
    assert.match(JSON.stringify(status['handoffs']), /"state":"confirmed"/);
    await assertBeyond('handoff', {
      'delete a pack': drop(`packs/${writer}/${'c'.repeat(32)}`),
      'write a key slot': put(`keys/${'c'.repeat(32)}`),
      'write for another machine': put(`snapshots/${'e'.repeat(32)}/${'c'.repeat(32)}`),
    });
    await storeOf('maintainer').delete(`keys/${'c'.repeat(32)}`, never);
    await storeOf('maintainer').delete(`snapshots/${'e'.repeat(32)}/${'c'.repeat(32)}`, never);
  });

  test('the new machine joins with the maintainer’s key; with its own it pushes what changed', async () => {
    use('maintainer');
    const joined = succeeded(await carol.runAsMember('join', location, '--json')).last();
    await grant('newcomer', carol.machine.run, 'writer');
    const place = { bucket: bucket.options.bucket, prefix: 'ferry' };
    const wanted = policyFor({ role: 'writer', ...place, writer: String(joined['writer']) });
    assert.deepEqual(joined['policy'], wanted);
    use('newcomer');
    // Packs of the old machine count as stored: they are seen in a listing, which is all that a writer may.
    const [pushed] = at(
      succeeded(await carol.runAsMember('push', '--json')).last(),
      'snapshots',
    ) as {
      bytes: number;
      bytesStored: number;
    }[];
    assert.ok(pushed && pushed.bytesStored < pushed.bytes / 5, String(pushed?.bytesStored));
    await assertBeyond('newcomer', {
      'write for the first machine': put(`packs/${writer}/${'d'.repeat(32)}`),
      'read an index of the first machine': get(await firstIn(`indexes/${writer}/`)),
    });
  });

  test('to forget, prune, repair and revoke takes the maintainer; the revoked one can read that it is', async () => {
    use('maintainer');
    const forgotten = succeeded(await world.run('forget', '--keep-last', '1', '--yes', '--json'));
    assert.ok((forgotten.last()['forgotten'] as unknown[]).length > 0, forgotten.stdout);
    succeeded(await world.run('prune', '--yes'));
    succeeded(await world.run('repair', '--yes'));
    succeeded(await world.run('machines', 'revoke', writer, '--yes'));
    succeeded(await world.run('check'));
    use('writer');
    assert.equal((await world.run('push')).exit, 25);
  });
}
