/** Addresses of session credentials: they end with the session, so it is said beforehand. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import type { ObjectStore, Presigned } from '../../../src/store/object-store.ts';
import { openS3Store } from '../../../src/store/s3-store.ts';

const SIGNED_AT_MS = Date.parse('2026-03-01T12:00:00Z');
const MINUTE_MS = 60_000;

/** Nothing is sent: an address is made here. */
async function storeOfSession(context: TestContext): Promise<ObjectStore> {
  const credentials = {
    accessKeyId: 'AKIASESSION',
    secretAccessKey: 'of a session',
    sessionToken: 'a token',
    expiration: new Date(SIGNED_AT_MS + 30 * MINUTE_MS),
  };
  const store = await openS3Store({
    bucket: 'ferry',
    prefix: '',
    endpoint: 'http://127.0.0.1:9',
    region: 'us-east-1',
    credentials,
  });
  context.after(() => store.close());
  return store;
}

async function presign(store: ObjectStore, lifeMs: number): Promise<Presigned> {
  assert.ok(store.presign);
  return store.presign({ gets: ['packs/a'], puts: [], signedAtMs: SIGNED_AT_MS, lifeMs });
}

test('a life beyond the end of the session is refused, with the longest that there is', async (context) => {
  const store = await storeOfSession(context);
  await assert.rejects(presign(store, 31 * MINUTE_MS), (error) => {
    assert.ok(error instanceof FerryError);
    assert.equal(error.code, 'store-denied');
    assert.match(error.message, /a session that ends in 30 minutes/);
    assert.match(error.hint ?? '', /--expires 30m/);
    return true;
  });
});

test('within it the addresses carry its token', async (context) => {
  const { template, gets } = await presign(await storeOfSession(context), 30 * MINUTE_MS);
  assert.equal(template.token, 'a token');
  assert.equal(gets.size, 1);
});
