import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { crc32 } from 'node:zlib';
import type { ErrorCode } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { limitStore } from '../../src/store/limit-store.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { RETRY_LIMITS, retryStore } from '../../src/store/retry-store.ts';
import { isOpenWire } from '../../src/store/s3-upload.ts';
import { openS3Store } from '../../src/store/s3-store.ts';
import { startS3Double, type FaultKind } from '../support/s3-double.ts';
import { never, openDouble, storeOptions } from './double-fixture.ts';
import { listAll, rejectsWith } from './store-contract.ts';

const body = Buffer.from('the body of an object');

describe('what an answer of the server means', () => {
  const meanings: [FaultKind, ErrorCode][] = [
    ['slow-down', 'store-busy'],
    ['internal-error', 'store-unreachable'],
    ['reset-before', 'store-unreachable'],
    ['no-such-bucket', 'repository-missing'],
    ['unknown-user', 'store-denied'],
    ['denied', 'store-denied'],
    ['quota', 'no-space'],
    ['skewed', 'store-clock'],
  ];
  for (const [kind, code] of meanings) {
    test(`${kind} is ${code}, for every operation`, async () => {
      const { store } = await openDouble({ faults: [{ kind, times: Infinity }] });
      for (const operation of everyOperation(store)) await rejectsWith(code, operation());
    });
  }

  test('TLS where none is spoken is told at once, and not tried again', async () => {
    const { double } = await openDouble();
    const endpoint = double.url.replace('http:', 'https:');
    const store = await openS3Store({ ...storeOptions(double), endpoint });
    await rejectsWith('store-refused', store.stat('absent', never));
    await store.close();
  });

  test('a 404 that names nothing is not absence', async () => {
    const { store } = await openDouble({ faults: [{ kind: 'bare-not-found', times: Infinity }] });
    await rejectsWith('store-refused', store.get('absent', undefined, never));
    await rejectsWith('store-refused', store.stat('absent', never));
  });

  test('a 404 to HEAD is not absence when GET says what is missing', async () => {
    const { store } = await openDouble({
      faults: [{ kind: 'no-such-bucket', operation: 'get', times: 2 }],
    });
    await rejectsWith('repository-missing', store.stat('absent', never));
    await rejectsWith('repository-missing', store.get('absent', undefined, never));
    assert.equal(await store.stat('absent', never), undefined);
  });

  test('a wrong clock is named in the hint, with how wrong it is', async () => {
    const { store } = await openDouble({
      clockOffsetMs: 3 * 3600_000,
      faults: [{ kind: 'denied', times: Infinity }],
    });
    const error = await rejectsWith('store-clock', store.get('a', undefined, never));
    assert.match(error.hint ?? '', /clock is 180 minutes behind the server's/);
  });

  test('signing follows a server whose clock differs', async () => {
    const { store } = await openDouble({ clockOffsetMs: -7 * 3600_000 });
    await store.put('a', body, {}, never);
    assert.equal((await store.stat('a', never))?.size, body.length);
  });

  test('no secret in an error', async () => {
    const { double, store } = await openDouble({ faults: [{ kind: 'denied', times: Infinity }] });
    for (const operation of everyOperation(store)) {
      const error = await rejectsWith('store-denied', operation());
      const shown = JSON.stringify([error.message, error.hint, error.details]);
      assert.ok(!shown.includes(double.secretKey) && !shown.includes(double.accessKey));
    }
  });
});

describe('bodies', () => {
  test('a body damaged on its way up is object-damaged', async () => {
    const { store } = await openDouble({ faults: [{ kind: 'bad-digest' }] });
    await rejectsWith('object-damaged', store.put('a', body, {}, never));
  });

  test('a checksum that is not the body’s is refused by the server', async () => {
    const { store } = await openDouble();
    await rejectsWith('object-damaged', store.put('a', body, { crc32: 12345 }, never));
  });

  test('a server that wants the hash of a large body signed gets it, and is asked once', async () => {
    const large = randomBytes(1024 * 1024 + 1);
    const { double, store } = await openDouble({ refusesUnsigned: true });
    for (const name of ['one', 'two']) {
      await store.put(name, large, { crc32: crc32(large) }, never);
      assert.ok(double.bucket.objects.get(`ferry/${name}`)?.bytes.equals(large));
    }
    assert.deepEqual(
      double.requests.map(({ status }) => status),
      [403, 200, 200],
    );
  });

  test('a large body that may not be stored is refused once more with its hash', async () => {
    const { double, store } = await openDouble({ faults: [{ kind: 'denied', times: Infinity }] });
    const large = randomBytes(1024 * 1024 + 1);
    await rejectsWith('store-denied', store.put('large', large, {}, never));
    assert.deepEqual(
      double.requests.map(({ status }) => status),
      [403, 403],
    );
  });

  test('an answer that breaks off is store-unreachable', async () => {
    const { store } = await openDouble();
    await store.put('long', randomBytes(300_000), {}, never);
    const { double, store: cut } = await openDouble();
    await cut.put('long', randomBytes(300_000), {}, never);
    double.addFault({ kind: 'truncate', operation: 'get', times: 2 });
    await rejectsWith('store-unreachable', cut.get('long', undefined, never));
    await rejectsWith(
      'store-unreachable',
      cut.getInto('long', undefined, new Uint8Array(300_000), never),
    );
    assert.equal((await cut.get('long', undefined, never))?.bytes.length, 300_000);
  });

  test('a large body goes into the middle of its buffer and nowhere else, whole and in ranges', async () => {
    const { double, store } = await openDouble();
    const large = randomBytes(3_000_000);
    await store.put('large', large, {}, never);
    const into = Buffer.alloc(large.length + 200, 7);
    const inside = into.subarray(100, -100);
    for (const range of [undefined, { offset: 5, length: 2_000_000 }]) {
      const [from, length] = range ? [range.offset, range.length] : [0, large.length];
      const answer = await store.getInto('large', range, inside, never);
      assert.equal(answer?.length, length);
      assert.ok(inside.subarray(0, length).equals(large.subarray(from, from + length)));
      const around = Buffer.concat([into.subarray(0, 100), into.subarray(-100)]);
      assert.ok(around.equals(Buffer.alloc(200, 7)));
    }
    double.addFault({ kind: 'truncate', operation: 'get', times: 1 });
    await rejectsWith('store-unreachable', store.getInto('large', undefined, inside, never));
    assert.equal((await store.getInto('large', undefined, inside, never))?.length, large.length);
    assert.equal(await store.getInto('absent', undefined, inside, never), undefined);
    const short = into.subarray(0, 2_000_000);
    await rejectsWith('object-damaged', store.getInto('large', undefined, short, never));
  });

  test('an abort in the middle of a large body ends it at once', async () => {
    const { store } = await openDouble();
    const into = Buffer.alloc(16 * 1024 * 1024);
    await store.put('large', Buffer.alloc(into.length, 1), {}, never);
    const controller = new AbortController();
    const aborted = store.getInto('large', undefined, into, controller.signal);
    while (into[300_000] === 0) await new Promise(setImmediate);
    controller.abort();
    await rejectsWith('interrupted', aborted);
    into.fill(0);
    assert.equal((await store.get('large', undefined, never))?.bytes.length, into.length);
    assert.ok(into.equals(Buffer.alloc(into.length)), 'what was aborted writes no more');
  });

  test('a server that ignores ranges is not believed', async () => {
    const { double, store } = await openDouble();
    await store.put('a', body, {}, never);
    double.addFault({ kind: 'ignore-range', times: Infinity });
    await rejectsWith('store-refused', store.get('a', { offset: 4, length: 4 }, never));
    await rejectsWith('store-refused', store.get('a', { offset: 0, length: 4 }, never));
  });

  test('a server that says no length is refused for that, large and small', async (context) => {
    const server = createServer((_, response) => {
      response.write('of some');
      response.end('length');
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const place = { bucket: 'a', prefix: '', region: 'here', endpoint: `http://127.0.0.1:${port}` };
    const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };
    const store = await openS3Store({ ...place, credentials });
    context.after(async () => {
      await store.close();
      server.close();
    });
    for (const room of [1000, 2_000_000]) {
      const read = store.getInto('a', undefined, Buffer.alloc(room), never);
      const { message } = await rejectsWith('store-refused', read);
      assert.match(message, /does not say how long a is$/);
    }
  });

  test('a server that never answers is given up, and an abort ends the wait at once', async () => {
    const { store } = await openDouble(
      { faults: [{ kind: 'silence', times: Infinity }] },
      { idleTimeoutMs: 200 },
    );
    await rejectsWith('store-unreachable', store.get('a', undefined, never));
    const patient = await openDouble({ faults: [{ kind: 'silence', times: Infinity }] });
    const controller = new AbortController();
    const seen = patient.double.nextRequest();
    const waiting = rejectsWith('interrupted', patient.store.put('a', body, {}, controller.signal));
    await seen;
    controller.abort();
    await waiting;
  });
});

describe('create-only, answers lost and unclear', () => {
  const createOnly = { createOnly: true };

  test('a refusal by closing the connection is "exists"', async () => {
    const { store } = await openDouble({
      faults: [{ kind: 'create-only-reset', times: Infinity }],
    });
    await store.put('a', body, createOnly, never);
    const answer = await store.put('a', Buffer.from('another body, of theirs'), createOnly, never);
    assert.equal(answer.outcome, 'exists');
    assert.ok(answer.dateMs !== undefined);
  });

  for (const kind of ['reset-after', 'internal-error-after'] as const) {
    test(`${kind}: stored, because what lies there is ours`, async () => {
      const { store } = await openDouble({ faults: [{ kind, operation: 'put' }] });
      assert.equal((await store.put('a', body, createOnly, never)).outcome, 'stored');
    });
  }

  test('a connection lost before anything was stored stays a failure', async () => {
    const { store } = await openDouble({ faults: [{ kind: 'reset-before', operation: 'put' }] });
    await rejectsWith('store-unreachable', store.put('a', body, createOnly, never));
  });

  test('an answer lost to a credential that cannot read stays a failure', async () => {
    const { store } = await openDouble({
      faults: [
        { kind: 'reset-after', operation: 'put' },
        { kind: 'denied', operation: ['get', 'head'], times: Infinity },
      ],
    });
    await rejectsWith('store-unreachable', store.put('a', body, createOnly, never));
  });

  test('a server without create-only is asked first', async () => {
    const { store } = await openDouble({ profile: 'swift' }, { createOnly: 'none' });
    assert.equal((await store.put('a', body, createOnly, never)).outcome, 'stored');
    assert.equal((await store.put('a', body, createOnly, never)).outcome, 'exists');
  });

  test('a server without create-only that nobody has probed says so once, and is asked first then', async () => {
    const { double, store } = await openDouble({ profile: 'swift' });
    assert.equal((await store.put('a', body, createOnly, never)).outcome, 'stored');
    assert.equal((await store.put('a', Buffer.from('b'), createOnly, never)).outcome, 'exists');
    assert.equal((await store.put('b', body, createOnly, never)).outcome, 'stored');
    const puts = double.requests.filter(({ operation }) => operation === 'put');
    assert.deepEqual(
      puts.map(({ status }) => status),
      [501, 200, 200],
    );
  });
});

describe('listing', () => {
  test('goes on over short pages, and not in circles', async () => {
    const { double, store } = await openDouble({ listPageMax: 2 });
    for (let at = 0; at < 7; at++) await store.put(`packs/${at}`, body, {}, never);
    assert.equal((await listAll(store, 'packs/')).length, 7);
    assert.equal(double.requests.filter((line) => line.operation === 'list').length, 4);
  });

  test('leaves out what is not ours', async () => {
    const { double, store } = await openDouble();
    await store.put('packs/a', body, {}, never);
    const [held] = double.bucket.objects.values();
    assert.ok(held);
    for (const key of [
      'ferry/packs//x',
      'ferry/packs/',
      'ferry/packs/ü',
      'ferryman/packs/b',
      'other',
    ]) {
      double.bucket.objects.set(key, held);
    }
    assert.deepEqual(
      (await listAll(store, '')).map(({ name }) => name),
      ['packs/a'],
    );
  });
});

function everyOperation(store: ObjectStore): (() => Promise<unknown>)[] {
  return [
    () => store.put('a', body, {}, never),
    () => store.put('a', body, { createOnly: true }, never),
    () => store.get('a', undefined, never),
    () => store.getInto('a', undefined, new Uint8Array(100), never),
    () => store.stat('a', never),
    () => store.delete('a', never),
    () => listAll(store, ''),
  ];
}

describe('a store as it is opened for use', () => {
  test('rides out a bad moment of each kind, says so, and multiplies no requests', async () => {
    const double = await startS3Double();
    after(() => double.close());
    const events: FerryEvent[] = [];
    const clock = { sleep: async () => {} };
    const deps = { clock, random: () => 0, emit: (event: FerryEvent) => void events.push(event) };
    const bare = await openS3Store(storeOptions(double));
    // Only what meets the silence is in a hurry: an answer that is merely slow is none.
    const hasty = await openS3Store({ ...storeOptions(double), idleTimeoutMs: 200 });
    const isSilent = { next: false };
    const put: ObjectStore['put'] = (...args) => {
      const to = isSilent.next ? hasty : bare;
      isSilent.next = false;
      return to.put(...args);
    };
    const store = retryStore(limitStore({ ...bare, put }, 4), deps, RETRY_LIMITS);
    const faults = [
      'slow-down',
      'reset-before',
      'reset-after',
      'internal-error',
      'silence',
      'bad-digest',
    ] as const;
    for (const kind of faults) {
      double.addFault({ kind, operation: 'put' });
      isSilent.next = kind === 'silence';
      const answer = await store.put(`faults/${kind}`, body, {}, never);
      assert.equal(answer.outcome, 'stored');
    }
    assert.deepEqual(
      events.map(({ type }) => type),
      Array(faults.length).fill('retry'),
    );
    assert.equal(
      double.requests.filter(({ operation }) => operation === 'put').length,
      2 * faults.length,
    );
    assert.equal((await listAll(store, 'faults/')).length, faults.length);
    await store.close();
    await hasty.close();
  });
});

test('a body is signed with its hash wherever somebody could be on the way', () => {
  const open = (address: string): boolean => {
    const { protocol, hostname } = new URL(address);
    return isOpenWire({ protocol, hostname, headers: {} });
  };
  for (const address of ['http://nas.local:9000', 'http://10.0.0.2', 'http://[fd00::1]:9000']) {
    assert.ok(open(address), address);
  }
  for (const address of [
    'https://nas.local',
    'http://127.0.0.1:9000',
    'http://[::1]:1',
    'http://localhost',
  ]) {
    assert.ok(!open(address), address);
  }
});
