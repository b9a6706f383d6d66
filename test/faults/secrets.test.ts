/** What is secret appears nowhere but where it belongs: not in events, errors, settings, cache or stored objects. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FerryError } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { formatRecoveryCode } from '../../src/crypto/recovery-code.ts';
import {
  allObjects,
  cloneStore,
  engineFolder,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  PASSPHRASE,
  pushTree,
  restoreTo,
  type Engine,
} from '../support/engine.ts';
import { faultStore } from '../support/fault-store.ts';
import { makeTree } from '../support/tree.ts';

const PLANTED = {
  config: 'sk-live-0a1b2c3d4e5f60718293',
  credential: 'wa-noise-key-QmFzZTY0S2V5',
  transcript: 'the launch code is 7-tango-9',
  name: 'file-named-after-a-secret-client',
  link: '/home/mara/secret-link-target',
} as const;

test('planted secrets stay inside what is sealed', async (context) => {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 61, { bulkBytes: 400_000, databases: true });
  mkdirSync(join(tree, 'credentials/whatsapp'), { recursive: true });
  writeFileSync(join(tree, 'openclaw.json'), JSON.stringify({ apiKey: PLANTED.config }));
  writeFileSync(join(tree, 'credentials/whatsapp/creds.json'), PLANTED.credential);
  writeFileSync(join(tree, 'agents/main/sessions/x.jsonl'), `{"text":"${PLANTED.transcript}"}\n`);
  writeFileSync(join(tree, PLANTED.name), 'x');

  const events: FerryEvent[] = [];
  const errors: unknown[] = [];
  await provoke(engine, tree, events, errors);
  assert.ok(events.length > 5 && errors.length > 5, 'there is something to look through');

  const said = errors.map((error) => [
    String(error),
    error instanceof FerryError ? [error.hint, error.details, error.stack] : '',
  ]);
  const code = engine.recoveryCode;
  const secrets = [PLANTED.config, PLANTED.credential, PLANTED.transcript, PASSPHRASE, code];
  assertAbsent('events', JSON.stringify(events), secrets);
  assertAbsent('errors', JSON.stringify(said), secrets);
  assertAbsent('settings', JSON.stringify(engine.machine.state), [...secrets, PLANTED.name]);

  const cache = engine.machine.cache ?? '';
  const files = readdirSync(cache);
  assert.ok(files.length > 0);
  for (const file of files) {
    // It lies beside the tree and knows its names, but nothing of what is in the files.
    assertAbsent(file, readFileSync(join(cache, file)), secrets);
  }
  for (const [name, bytes] of await allObjects(engine.store)) {
    assertAbsent(name, bytes, [...secrets, PLANTED.name, 'harbour', 'openclaw', 'creds.json']);
  }
  assert.deepEqual(readdirSync(engine.machine.scratch), [], 'no copy of a database is left');
});

/** Pushes, pulls and fails in many ways. */
async function provoke(
  engine: Engine,
  tree: string,
  events: FerryEvent[],
  errors: unknown[],
): Promise<void> {
  const { store, machine } = engine;
  const attempt = (work: Promise<unknown>): Promise<unknown> =>
    work.catch((error: unknown) => errors.push(error));
  for (let stopAt = 1; stopAt <= 6; stopAt++) {
    await attempt(pushTree(faultStore(store, { stopAt }), machine, tree));
  }
  await pushTree(store, machine, tree);
  events.push(...machine.events);
  const wrong = { with: 'passphrase', passphrase: PLANTED.transcript } as const;
  await attempt(openReader(store, { secret: wrong, events }));
  const wrongCode = { with: 'recovery code', code: Buffer.alloc(20, 9) } as const;
  assert.ok(formatRecoveryCode(wrongCode.code).length > 0);
  await attempt(openReader(store, { secret: wrongCode, events }));
  const reader = await openReader(store, { events });
  for (const name of (await allObjects(store)).keys()) {
    const damaged = await cloneStore(store);
    await damaged.put(name, Buffer.from('damaged'), {}, NO_ABORT);
    await attempt(
      openReader(damaged, { events }).then(async (open) => {
        const [newest] = await listAll({ ...open, store: damaged }, events);
        if (!newest) throw new Error('nothing is listed');
        await restoreTo(open, newest, join(engine.folder, 'out'), { events });
      }),
    );
  }
  await attempt(restoreTo(reader, (await listAll(reader))[0] ?? assert.fail(), tree, { events }));
}

function assertAbsent(
  where: string,
  haystack: string | Uint8Array,
  secrets: readonly string[],
): void {
  const bytes = Buffer.from(haystack);
  for (const secret of secrets) {
    for (const form of [secret, Buffer.from(secret).toString('base64').replace(/=+$/, '')]) {
      assert.ok(!bytes.includes(form), `${where} holds ${secret}`);
    }
  }
}
