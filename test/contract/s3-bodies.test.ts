/** Bodies of answers that are not what they should be: refused, changed on the way, broken off. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../src/base/errors.ts';
import { never, openDouble } from './double-fixture.ts';
import { rejectsWith } from './store-contract.ts';

const body = Buffer.from('the body of an object');

test('a server that has too much to do is asked for a large body once, not twice', async () => {
  const { double, store } = await openDouble();
  const into = Buffer.alloc(2_000_000);
  await store.put('large', into, {}, never);
  const faults = [
    ['slow-down', 'store-busy'],
    ['internal-error', 'store-unreachable'],
  ] as const;
  for (const [kind, code] of faults) {
    double.addFault({ kind, operation: 'get', times: 1 });
    const before = double.requests.length;
    await rejectsWith(code, store.getInto('large', undefined, into, never));
    assert.equal(double.requests.length, before + 1);
    assert.equal((await store.getInto('large', undefined, into, never))?.length, into.length);
  }
});

test('what came otherwise than it was stored is asked for again, and told when it comes so twice', async () => {
  const { double, store } = await openDouble({ profile: 'aws' });
  await store.put('a', body, {}, never);
  double.addFault({ kind: 'flip', operation: 'get', times: 1 });
  const healed = await store.get('a', undefined, never);
  assert.deepEqual(healed?.bytes, body);
  assert.equal(healed.isSpoilt, undefined);
  double.addFault({ kind: 'flip', operation: 'get', times: 2 });
  const spoilt = await store.get('a', undefined, never);
  assert.notDeepEqual(spoilt?.bytes, body);
  assert.equal(spoilt?.isSpoilt, true);
});

test('a server that keeps no checksum is read all the same', async () => {
  const { double, store } = await openDouble({ profile: 'lax' });
  await store.put('a', body, {}, never);
  double.addFault({ kind: 'flip', operation: 'get', times: 1 });
  assert.notDeepEqual((await store.get('a', undefined, never))?.bytes, body);
});

test('a refusal that breaks off may be about anything, and is worth another try', async () => {
  const { double, store } = await openDouble();
  double.addFault({ kind: 'truncate', operation: 'get', times: 1 });
  await assert.rejects(store.get('absent', undefined, never), (error: unknown) => {
    assert.ok(error instanceof FerryError);
    assert.equal(error.code, 'store-unreachable');
    assert.match(error.message, /broke off: aborted$/);
    return true;
  });
  assert.equal(await store.get('absent', undefined, never), undefined);
});
