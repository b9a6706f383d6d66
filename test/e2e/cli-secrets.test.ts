/** Secrets planted wherever there can be one: none may come out of any verb, nor stay in settings or cache. */
import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { makeFolder, makeMachine, PASSPHRASE, type Answer } from '../support/cli-run.ts';
import { CLOSED_PORT } from '../support/ports.ts';

const CONFIG_SECRET = 'planted-config-secret-0815';
const CREDENTIAL_SECRET = 'planted-whatsapp-key-0816';
const WRONG_PASSPHRASE = 'planted-wrong-passphrase-0817';
const AWS_SECRET = 'planted+aws/secret0818';
const AWS_KEY_ID = 'AKIAPLANTED0819';
const folder = makeFolder();
const alice = makeMachine(folder.path, 'alice');
const repository = join(folder.path, 'repository');
const kit = join(folder.path, 'kit.txt');
const secret = ['--passphrase-file', alice.passphraseFile];
const aws = { AWS_ACCESS_KEY_ID: AWS_KEY_ID, AWS_SECRET_ACCESS_KEY: AWS_SECRET };
const planted = [
  PASSPHRASE,
  CONFIG_SECRET,
  CREDENTIAL_SECRET,
  WRONG_PASSPHRASE,
  AWS_SECRET,
  AWS_KEY_ID,
];

before(() => {
  writeSample({ home: alice.home, nodePath: process.execPath, port: CLOSED_PORT }).close();
  const state = join(alice.home, '.openclaw');
  appendFileSync(join(state, '.env'), `\nTELEGRAM_TOKEN=${CONFIG_SECRET}\n`);
  writeFileSync(join(state, 'credentials/planted.json'), `{"key":"${CREDENTIAL_SECRET}"}`);
});
after(() => folder.remove());

function assertClean(text: string, where: string): void {
  for (const word of planted) assert.ok(!text.includes(word), `${where}: ${word}`);
}

/** Every verb, in an order in which each finds what it needs; some fail on purpose. */
const CALLS: readonly (readonly string[])[] = [
  ['gateways'],
  ['init', repository, '--kit', kit, ...secret],
  ['push', '--dry-run'],
  ['push', '--label', 'one'],
  ['push'],
  ['status'],
  ['snapshots', ...secret],
  ['ls', 'latest:state', '--recursive', ...secret],
  ['find', '*.json', ...secret],
  ['diff', 'latest~1', 'latest', ...secret],
  ['cat', 'latest:state/openclaw.json', ...secret],
  ['export', 'latest', join(folder.path, 'out.tar'), ...secret],
  ['import', join(folder.path, 'out.tar'), '--as', 'openclaw:old'],
  ['check', '--read-data', ...secret],
  ['probe'],
  ['join', repository, '--machine', 'other', '--yes', ...secret],
  ['pull', '--into', join(folder.path, 'into'), '--install', 'openclaw', ...secret],
  ['pull', '--install', 'openclaw', '--dry-run', '--no-doctor', '--no-restart', ...secret],
  ['pull', '--install', 'openclaw', '--yes', '--no-doctor', '--no-restart', ...secret],
  ['ls', 'latest', '--passphrase-command', `echo ${WRONG_PASSPHRASE}`],
  ['ls', 'latest', '--recovery-file', alice.passphraseFile],
  ['ls', 'latest', '--reader-key', alice.passphraseFile],
  ['snapshots', '-r', 's3://bucket/x?endpoint=http://127.0.0.1:9&region=x', ...secret],
  ['snapshots', '-r', `s3://${AWS_KEY_ID}:${AWS_SECRET}@bucket/x`, ...secret],
  ['snapshots', '-r', `s3://bucket/x?secret=${AWS_SECRET}`, ...secret],
  ['demo', '--folder', join(folder.path, 'demo')],
];

describe('what is said', () => {
  for (const call of CALLS) {
    test(call.slice(0, 2).join(' ').replaceAll(folder.path, ''), async () => {
      const answer: Answer = await alice.runWith(aws, ...call, '--json', '--verbose');
      const said = `${answer.stdout}${answer.stderr}`;
      assert.notEqual(said, '');
      assert.notEqual(answer.exit, 70, said);
      const isPlantedByUs = call.includes('--passphrase-command');
      assertClean(isPlantedByUs ? answer.stdout : said, call.join(' '));
    });
  }

  test('the recovery code stands in the kit alone', async () => {
    const code = /SF1(-\w{4}){9}/.exec(readFileSync(kit, 'utf8'))?.[0] ?? '';
    assert.notEqual(code, '');
    planted.push(code, code.replaceAll('-', ''));
    const env = { ...aws, STATEFERRY_RECOVERY_CODE: code };
    const answer = await alice.runWith(env, 'ls', 'latest', '--install', 'openclaw', '-v');
    assertClean(answer.stdout + answer.stderr, 'ls');
    const wrong = { ...aws, STATEFERRY_RECOVERY_CODE: `${code.slice(0, -1)}!` };
    const refused = await alice.runWith(wrong, 'ls', 'latest', '--verbose');
    assert.equal(refused.exit, 12);
    assertClean(refused.stdout + refused.stderr, 'ls with a mistyped code');
    assert.ok(!(refused.stdout + refused.stderr).includes(code.slice(0, -1)));
  });
});

describe('what stays', () => {
  test('no file of settings and cache holds one, nor any object of the repository', () => {
    let files = 0;
    for (const root of [alice.settings, repository]) {
      for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
        const path = join(root, name);
        if (!statSync(path).isFile()) continue;
        files += 1;
        assertClean(readFileSync(path, 'latin1'), path);
      }
    }
    assert.ok(files > 12, `only ${files}`);
    // The search finds what is there.
    const exported = readFileSync(join(folder.path, 'out.tar'), 'latin1');
    assert.throws(() => assertClean(exported, 'the export'));
  });

  test('settings hold what they may, and nothing else', () => {
    const text = readFileSync(join(alice.settings, 'settings.json'), 'utf8');
    const names = new Set<string>();
    collectNames(JSON.parse(text), '', names);
    const top = [...names].filter(
      (name) => !/^(repositories\.probe\.report|lastPull)\./.test(name),
    );
    const below: Readonly<Record<string, string>> = {
      '': 'format defaultRepository lastPull repositories landed',
      // The key that chunks of an install which landed here are named by: it opens nothing.
      landed: 'repository install source chunkIdKey before',
      repositories: 'location lastPush probe machine',
      'repositories.probe': 'time report store',
      'repositories.probe.store': 'uploadChecksum createOnly',
      'repositories.machine':
        'format repository recipient root machine writer highWater pending chunkIdKeys',
      'repositories.machine.writer': 'id key signingSeed',
    };
    const isFree = /^repositories\.(lastPush|machine\.(highWater|pending|chunkIdKeys))\./;
    const isAllowed = (name: string): boolean => {
      const parent = name.slice(0, Math.max(0, name.lastIndexOf('.')));
      const own = name.slice(name.lastIndexOf('.') + 1);
      return isFree.test(name) || (below[parent] ?? '').split(' ').includes(own);
    };
    assert.ok(top.length > 15);
    assert.deepEqual(
      top.filter((name) => !isAllowed(name)),
      [],
    );
  });
});

function collectNames(value: unknown, path: string, names: Set<string>): void {
  if (typeof value !== 'object' || value === null) return;
  for (const [name, below] of Object.entries(value)) {
    const full = Array.isArray(value) ? path : path === '' ? name : `${path}.${name}`;
    if (full !== '') names.add(full);
    collectNames(below, full, names);
  }
}
