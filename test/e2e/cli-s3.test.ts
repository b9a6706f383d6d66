/** The same commands against a bucket: options of the location, credentials from the environment, and their absence. */
import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { NEVER_REPLACED } from '../../src/cli/roles/rights.ts';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { exportLines, fakeNpx, lineOf, typeInto } from '../support/kit-shell.ts';
import { CLOSED_PORT } from '../support/ports.ts';
import { startS3Double, type S3Double } from '../support/s3-double.ts';
import { MAIN, makeFolder, makeMachine, succeeded, type Answer } from '../support/cli-run.ts';

const folder = makeFolder();
const old = makeMachine(folder.path, 'alice');
const kit = join(folder.path, 'kit.txt');
let double: S3Double;
let credentials: Record<string, string> = {};
let location = '';

before(async () => {
  writeSample({ home: old.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  // As infra/policies/aws-bucket.json has it.
  const kept = NEVER_REPLACED.map((name) => name.replace('.', '\\.').replace('*', '.+'));
  double = await startS3Double({ refusesReplacing: new RegExp(`^ferry/(${kept.join('|')})$`) });
  credentials = {
    AWS_ACCESS_KEY_ID: double.accessKey,
    AWS_SECRET_ACCESS_KEY: double.secretKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  location = `s3://${double.bucketName}/ferry?endpoint=${double.url}&region=${double.region}&addressing=path`;
});
after(async () => {
  await double.close();
  folder.remove();
});

const run = (...args: string[]): Promise<Answer> => old.runWith(credentials, ...args);

describe('a bucket', () => {
  test('init remembers what the probe found, and says that a timer will lack the credentials', async () => {
    const answer = succeeded(
      await run('init', location, '--kit', kit, '--json', '--passphrase-file', old.passphraseFile),
    );
    const codes = answer.lines().map(({ code }) => code);
    assert.ok(codes.includes('credentials-from-environment'));
    const settings = readFileSync(join(old.settings, 'settings.json'), 'utf8');
    assert.match(settings, /"uploadChecksum": "(crc32|md5)"/);
    const page = readFileSync(kit, 'utf8');
    assert.match(page, /keys of the bucket\. This page does not hold them/);
    assert.ok(page.includes(`'s3://${double.bucketName}/ferry?endpoint=`));
  });

  test('push and ls need no -r; the bare name of the bucket is enough', async () => {
    const summary = succeeded(await run('push', '--json')).last();
    assert.ok((summary['requests'] as { put: number }).put > 0);
    const bare = `s3://${double.bucketName}/ferry`;
    const listed = await run('ls', 'latest', '-r', bare, '--passphrase-file', old.passphraseFile);
    assert.match(succeeded(listed).stdout, /^state {2}/);
  });

  test('the same as options', async () => {
    const options = ['--endpoint', double.url, '--region', double.region, '--addressing', 'path'];
    const bare = `s3://${double.bucketName}/ferry`;
    const answer = await run('snapshots', '-r', bare, ...options, '--recovery-file', kit, '--json');
    assert.equal((succeeded(answer).last()['snapshots'] as unknown[]).length, 1);
  });

  test('no verb stores anything over what is there', async () => {
    const bob = makeMachine(folder.path, 'bob');
    const secret = ['--passphrase-file', old.passphraseFile];
    const joining = ['join', location, '--machine', 'bob', '--recovery-file', kit];
    succeeded(await bob.runWith(credentials, ...joining));
    succeeded(await run('keys', 'kit', join(folder.path, 'kit-2.txt'), ...secret));
    succeeded(await run('machines', 'revoke', 'bob', '--yes', ...secret));
    // Who keeps the repository need not be one of its machines, and has probed nothing then.
    succeeded(await run('push'));
    const office = makeMachine(folder.path, 'office');
    const keeping = ['--yes', '-r', location, '--recovery-file', kit];
    succeeded(await office.runWith(credentials, 'forget', '--keep-last', '1', ...keeping));
    const puts = double.requests.filter(({ operation }) => operation === 'put');
    for (const kind of ['keys', 'revocations', 'forgets']) {
      assert.ok(
        puts.some(({ key }) => key.startsWith(`ferry/${kind}/`)),
        kind,
      );
    }
    const refused = puts.filter(({ status }) => status === 403);
    assert.deepEqual(refused, []);
  });

  test('a kit of a machine whose environment knows the bucket says it for machines that do not', async () => {
    const place = `s3://${double.bucketName}/by-environment`;
    const known = { AWS_ENDPOINT_URL_S3: double.url, AWS_REGION: double.region };
    const made = join(folder.path, 'kit-3.txt');
    const init = ['init', place, '--kit', made, '--passphrase-file', old.passphraseFile];
    succeeded(await old.runWith({ ...credentials, ...known }, ...init));
    const fresh = makeMachine(folder.path, 'fresh');
    copyFileSync(made, join(fresh.folder, 'kit.txt'));
    const npx = fakeNpx(join(folder.path, 'npx'), [process.execPath, MAIN]);
    const env = {
      PATH: `${npx}:/usr/bin:/bin`,
      HOME: fresh.home,
      AWS_EC2_METADATA_DISABLED: 'true',
    };
    const page = readFileSync(made, 'utf8');
    const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = credentials;
    const keys = exportLines(page, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
    const line = `${keys}; ${lineOf(page, 'join')} && ${lineOf(page, 'snapshots')}`;
    const answer = await typeInto({ env, cwd: fresh.folder }, line);
    assert.equal(answer.exit, 0, answer.stderr);
    assert.match(answer.stdout, /^joined repository [^]*no snapshots in /);
  });

  test('wrong credentials are "denied", and none of them is ever said or kept', async () => {
    const wrong = { ...credentials, AWS_SECRET_ACCESS_KEY: 'planted-secret-key' };
    const answer = await old.runWith(wrong, 'push', '--json', '--verbose');
    assert.equal(answer.exit, 13);
    assert.equal(answer.last()['code'], 'store-denied');
    const said = answer.stdout + answer.stderr;
    assert.ok(!said.includes('planted-secret-key'));
    let files = 0;
    for (const name of readdirSync(old.settings, { recursive: true, encoding: 'utf8' })) {
      const path = join(old.settings, name);
      if (!statSync(path).isFile()) continue;
      files += 1;
      const text = readFileSync(path, 'latin1');
      assert.ok(!text.includes(double.secretKey) && !text.includes(double.accessKey), name);
    }
    assert.ok(files > 0);
  });

  test('credentials in a location are refused', async () => {
    const secret = 's3://AKIAPLANTED:planted-secret@bucket/ferry';
    const answer = await run('push', '-r', secret, '--json');
    assert.equal(answer.exit, 2);
    assert.ok(!(answer.stdout + answer.stderr).includes('planted-secret'));
  });
});

test('a bucket without create-only: made, pushed to, joined and mirrored into', async () => {
  const bare = await startS3Double({ profile: 'swift' });
  const variables = {
    AWS_ACCESS_KEY_ID: bare.accessKey,
    AWS_SECRET_ACCESS_KEY: bare.secretKey,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  const query = `?endpoint=${bare.url}&region=${bare.region}&addressing=path`;
  const place = `s3://${bare.bucketName}/ferry${query}`;
  const eve = makeMachine(folder.path, 'eve');
  writeSample({ home: eve.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  const secret = ['--passphrase-file', eve.passphraseFile];
  const kitOfEve = ['--kit', join(folder.path, 'kit-of-eve')];
  succeeded(await eve.runWith(variables, 'init', place, ...kitOfEve, ...secret));
  succeeded(await eve.runWith(variables, 'push'));
  const fay = makeMachine(folder.path, 'fay');
  succeeded(await fay.runWith(variables, 'join', place, '--machine', 'fay', ...secret));
  const copy = `s3://${bare.bucketName}/copy${query}`;
  succeeded(await fay.runWith(variables, 'mirror', place, copy));
  succeeded(await fay.runWith(variables, 'check', '--read-data', '-r', copy, ...secret));
  await bare.close();
});
