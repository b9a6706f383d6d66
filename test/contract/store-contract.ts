import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import { FerryError, type ErrorCode } from '../../src/base/errors.ts';
import type { ListedObject, ObjectStore } from '../../src/store/object-store.ts';

export type StoreFixture = {
  /** Opens an empty store; called once for the whole suite. */
  readonly open: () => Promise<{ store: ObjectStore; close: () => Promise<void> }>;
  /** Set when the server cannot be had here. */
  readonly skip?: string | false;
  /** How many racing create-only puts may win; Infinity where the server does not say no at all. */
  readonly createOnlyWinnersMax?: number;
};

const never = new AbortController().signal;
const bytesOf = (text: string): Uint8Array => Buffer.from(text);

/** Every promise of the store contract, held against one implementation. */
export function describeStore(label: string, fixture: StoreFixture): void {
  describe(`store contract: ${label}`, { skip: fixture.skip ?? false }, () => {
    let store: ObjectStore;
    let close = async (): Promise<void> => {};
    before(async () => {
      ({ store, close } = await fixture.open());
    });
    after(() => close());
    const context: Context = { store: () => store, winnersMax: fixture.createOnlyWinnersMax ?? 1 };
    putAndGet(context);
    ranges(context);
    createOnly(context);
    listing(context);
    deleting(context);
    timeAndAbort(context);
  });
}

type Context = { readonly store: () => ObjectStore; readonly winnersMax: number };

function putAndGet({ store }: Context): void {
  test('an absent name is undefined to get, getInto and stat', async () => {
    assert.equal(await store().get('absent/a', undefined, never), undefined);
    assert.equal(await store().get('absent/a', { offset: 5, length: 5 }, never), undefined);
    assert.equal(await store().getInto('absent/a', undefined, new Uint8Array(4), never), undefined);
    assert.equal(await store().stat('absent/a', never), undefined);
  });

  for (const size of [0, 1, 65_537, 6 * 1024 * 1024 + 3]) {
    test(`${size} bytes come back as they went`, async () => {
      const body = randomBytes(size);
      const name = `sizes/${size}`;
      assert.equal((await store().put(name, body, {}, never)).outcome, 'stored');
      const got = await store().get(name, undefined, never);
      assert.ok(got && Buffer.from(got.bytes).equals(body));
      assert.equal((await store().stat(name, never))?.size, size);
    });
  }

  test('shared memory may be a body and a target, at an odd offset', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(200_000), 13, 150_001);
    const original = randomBytes(shared.length);
    shared.set(original);
    await store().put('shared', shared, {}, never);
    const target = new Uint8Array(new SharedArrayBuffer(200_000), 7, 160_000);
    const answer = await store().getInto('shared', undefined, target, never);
    assert.equal(answer?.length, shared.length);
    assert.ok(Buffer.from(target.subarray(0, shared.length)).equals(original));
  });

  test('a checksum that the caller has already is taken as it is', async () => {
    const { crc32 } = await import('node:zlib');
    const body = randomBytes(70_000);
    await store().put('digests', body, { crc32: crc32(body) }, never);
    const got = await store().get('digests', undefined, never);
    assert.ok(got && Buffer.from(got.bytes).equals(body));
  });

  test('a body may be changed once put has answered', async () => {
    const body = randomBytes(1000);
    const original = Buffer.from(body);
    await store().put('mine', body, {}, never);
    body.fill(0);
    const got = await store().get('mine', undefined, never);
    assert.ok(got && original.equals(got.bytes));
    got.bytes.fill(1);
    const again = await store().get('mine', undefined, never);
    assert.ok(again && original.equals(again.bytes));
  });

  test('a put over an existing name replaces it, shorter and longer', async () => {
    for (const text of ['first content', 'second', 'the third content is the longest']) {
      await store().put('replaced', bytesOf(text), {}, never);
      const got = await store().get('replaced', undefined, never);
      assert.equal(got && Buffer.from(got.bytes).toString(), text);
    }
  });
}

function ranges({ store }: Context): void {
  const body = Buffer.from('0123456789');

  test('ranges: the middle, one that is cut at the end, into a buffer', async () => {
    await store().put('ranged', body, {}, never);
    const text = async (offset: number, length: number): Promise<string> => {
      const got = await store().get('ranged', { offset, length }, never);
      return Buffer.from(got?.bytes ?? []).toString();
    };
    assert.equal(await text(0, 1), '0');
    assert.equal(await text(3, 4), '3456');
    assert.equal(await text(8, 100), '89');
    const into = Buffer.alloc(4, '-');
    const answer = await store().getInto('ranged', { offset: 7, length: 4 }, into, never);
    assert.equal(answer?.length, 3);
    assert.equal(into.toString(), '789-');
  });

  test('a range that begins beyond the end is object-damaged', async () => {
    await store().put('ranged', body, {}, never);
    await rejectsWith('object-damaged', store().get('ranged', { offset: 10, length: 1 }, never));
    const into = new Uint8Array(5);
    await rejectsWith(
      'object-damaged',
      store().getInto('ranged', { offset: 99, length: 5 }, into, never),
    );
  });

  test('an object longer than the buffer is object-damaged', async () => {
    await store().put('ranged', body, {}, never);
    await rejectsWith(
      'object-damaged',
      store().getInto('ranged', undefined, new Uint8Array(9), never),
    );
  });
}

function createOnly({ store, winnersMax }: Context): void {
  test('create-only stores once; the second is told so and changes nothing', async () => {
    const first = await store().put('once', bytesOf('first'), { createOnly: true }, never);
    assert.equal(first.outcome, 'stored');
    if (winnersMax === Infinity) return;
    const second = await store().put('once', bytesOf('second'), { createOnly: true }, never);
    assert.equal(second.outcome, 'exists');
    const got = await store().get('once', undefined, never);
    assert.equal(got && Buffer.from(got.bytes).toString(), 'first');
  });

  test('create-only after a delete stores again', async () => {
    await store().put('twice', bytesOf('a'), { createOnly: true }, never);
    await store().delete('twice', never);
    const again = await store().put('twice', bytesOf('b'), { createOnly: true }, never);
    assert.equal(again.outcome, 'stored');
  });

  test('a race of create-only puts has no more winners than the server promises', async () => {
    const bodies = Array.from({ length: 8 }, (_, racer) => bytesOf(`racer ${racer}`));
    const answers = await Promise.all(
      bodies.map((body) => store().put('race', body, { createOnly: true }, never)),
    );
    const winners = answers.filter((answer) => answer.outcome === 'stored').length;
    assert.ok(winners >= 1 && winners <= winnersMax, `${winners} winners`);
    const got = await store().get('race', undefined, never);
    assert.match(Buffer.from(got?.bytes ?? []).toString(), /^racer \d$/);
  });
}

function listing({ store }: Context): void {
  test('list yields each name below a prefix once, with its size and date', async () => {
    const sizes = new Map<string, number>();
    for (let at = 0; at < 12; at++) sizes.set(`listed/w${at % 3}/object-${at}`, at * 10);
    for (const [name, size] of sizes) await store().put(name, new Uint8Array(size), {}, never);
    await store().put('listed-not/other', bytesOf('x'), {}, never);
    const found = await listAll(store(), 'listed/');
    assert.deepEqual(found.map(({ name }) => name).sort(), [...sizes.keys()].sort());
    for (const { name, size, modifiedMs } of found) {
      assert.equal(size, sizes.get(name));
      assert.ok(
        Number.isSafeInteger(modifiedMs) && modifiedMs > Date.UTC(2020, 0),
        `${modifiedMs}`,
      );
    }
    assert.equal((await listAll(store(), 'listed/w1/')).length, 4);
  });

  test('an empty prefix lists everything, an unused one nothing', async () => {
    await store().put('top', bytesOf('x'), {}, never);
    await store().put('deep/er/still', bytesOf('x'), {}, never);
    const names = (await listAll(store(), '')).map(({ name }) => name);
    assert.ok(names.includes('top') && names.includes('deep/er/still'));
    assert.equal(new Set(names).size, names.length);
    assert.deepEqual(await listAll(store(), 'nothing-here/'), []);
  });

  test('long names: segments of 200 bytes', async () => {
    const name = `${'a'.repeat(200)}/${'b'.repeat(200)}/${'c'.repeat(200)}`;
    await store().put(name, bytesOf('long'), {}, never);
    assert.equal((await store().stat(name, never))?.size, 4);
    assert.deepEqual(
      (await listAll(store(), `${'a'.repeat(200)}/`)).map((object) => object.name),
      [name],
    );
  });
}

function deleting({ store }: Context): void {
  test('many are deleted at once, where the store has that, and only they', async () => {
    const names = Array.from({ length: 12 }, (_, at) => `many/${at}`);
    for (const name of [...names, 'many-more']) await store().put(name, bytesOf('x'), {}, never);
    const asked = [...names.slice(0, 10), 'many/never-was'];
    const gone = (await store().deleteMany?.(asked, never)) ?? new Set();
    for (const name of asked) if (!gone.has(name)) await store().delete(name, never);
    assert.ok([...gone].every((name) => asked.includes(name)));
    const left = (await listAll(store(), 'many/')).map(({ name }) => name);
    assert.deepEqual(left.toSorted(), names.slice(10).toSorted());
    assert.equal((await store().stat('many-more', never))?.size, 1);
    for (const name of [...names.slice(10), 'many-more']) await store().delete(name, never);
  });

  test('delete removes, and an absent name is no failure', async () => {
    await store().put('gone/a', bytesOf('x'), {}, never);
    await store().delete('gone/a', never);
    await store().delete('gone/a', never);
    await store().delete('never/was', never);
    assert.equal(await store().get('gone/a', undefined, never), undefined);
    assert.equal(await store().stat('gone/a', never), undefined);
    assert.deepEqual(await listAll(store(), 'gone/'), []);
  });
}

function timeAndAbort({ store }: Context): void {
  test('the store tells its time', async () => {
    const dateMs = await store().dateMs(never);
    const { dateMs: putMs } = await store().put('time', bytesOf('x'), {}, never);
    assert.ok(Math.abs(dateMs - Date.now()) < 24 * 3600 * 1000, `${dateMs}`);
    assert.ok(putMs === undefined || Math.abs(putMs - dateMs) < 3600 * 1000);
  });

  test('names that no store should see are bugs', async () => {
    for (const name of [
      '',
      '/a',
      'a/',
      'a//b',
      '../a',
      'a/./b',
      '.tmp-x',
      'a b',
      'ü',
      'a'.repeat(201),
    ]) {
      await rejectsWith('bug', store().put(name, bytesOf('x'), {}, never));
      await rejectsWith('bug', store().get(name, undefined, never));
    }
    await rejectsWith('bug', listAll(store(), 'no-slash'));
  });

  test('an aborted signal ends every operation with interrupted', async () => {
    const aborted = AbortSignal.abort();
    await rejectsWith('interrupted', store().put('late', bytesOf('x'), {}, aborted));
    await rejectsWith('interrupted', store().get('late', undefined, aborted));
    await rejectsWith(
      'interrupted',
      store().getInto('late', undefined, new Uint8Array(1), aborted),
    );
    await rejectsWith('interrupted', store().stat('late', aborted));
    await rejectsWith('interrupted', store().delete('late', aborted));
    await rejectsWith('interrupted', store().dateMs(aborted));
    await rejectsWith('interrupted', listAll(store(), '', aborted));
    assert.equal(await store().get('late', undefined, never), undefined);
  });

  test('requests are counted by kind', async () => {
    const counts = store().counts();
    for (const kind of ['put', 'get', 'list', 'delete', 'head'] as const) {
      assert.ok(counts[kind] > 0, kind);
    }
  });
}

export async function listAll(
  store: ObjectStore,
  prefix: string,
  signal: AbortSignal = never,
): Promise<ListedObject[]> {
  const found: ListedObject[] = [];
  for await (const object of store.list(prefix, signal)) found.push(object);
  return found;
}

export async function rejectsWith(code: ErrorCode, promise: Promise<unknown>): Promise<FerryError> {
  let caught: unknown;
  await promise.catch((error: unknown) => {
    caught = error;
  });
  assert.ok(caught instanceof FerryError, `expected ${code}, got ${String(caught)}`);
  assert.equal(caught.code, code, caught.message);
  return caught;
}
