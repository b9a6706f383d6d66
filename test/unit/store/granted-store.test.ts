/** Presigned addresses asked with plain HTTP: a server that answers as it is told, and what becomes of its answers. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { after, afterEach, before, describe, test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { openGrantedStore } from '../../../src/store/granted-store.ts';
import type { ObjectStore } from '../../../src/store/object-store.ts';
import { addressOf, takeApart } from '../../../src/store/presigned.ts';

const NO_ABORT = new AbortController().signal;
const NAME = 'claims/0123';
const SIGNED_AT_SECONDS = 1_795_247_999;
const signature = Buffer.alloc(32, 7);
const seen: { readonly method: string; readonly url: string; readonly headers: object }[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void;
const server = createServer((request, response) => {
  const { method = '', url = '', headers } = request;
  seen.push({ method, url, headers });
  answer(request, response);
});
let store: ObjectStore;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address);
  store = openGrantedStore({
    location: 'the bucket',
    template: templateAt(`http://127.0.0.1:${address.port}/bucket/ferry/`),
    gets: new Map([[NAME, signature]]),
    puts: new Map([[NAME, signature]]),
    createOnly: true,
  });
});
afterEach(() => seen.splice(0));
after(() => {
  server.closeAllConnections();
  server.close();
});

function templateAt(base: string) {
  return {
    base,
    region: 'eu-central-1',
    accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
    signedAtSeconds: SIGNED_AT_SECONDS,
    lifeSeconds: 3600,
    token: undefined,
  };
}

const says = (status: number, body = '', headers: Record<string, string> = {}): void => {
  answer = (_, response) => send(response, status, body, headers);
};
/** With its length, as every S3 server sends it. */
function send(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-length': body.length, ...headers }).end(body);
}
const error = (code: string): string => `<Error><Code>${code}</Code></Error>`;

describe('get', () => {
  test('the whole, a range, and into a buffer', async () => {
    says(200, 'abcdef');
    const whole = await store.get(NAME, undefined, NO_ABORT);
    assert.equal(Buffer.from(whole?.bytes ?? []).toString(), 'abcdef');
    says(206, 'cd', { 'content-range': 'bytes 2-3/6' });
    const into = Buffer.alloc(4);
    const range = { offset: 2, length: 2 };
    assert.equal((await store.getInto(NAME, range, into, NO_ABORT))?.length, 2);
    assert.equal(into.toString('latin1', 0, 2), 'cd');
    assert.deepEqual(
      seen.map(({ method }) => method),
      ['GET', 'GET'],
    );
    assert.match(seen[0]?.url ?? '', /^\/bucket\/ferry\/claims\/0123\?X-Amz-Algorithm=/);
    assert.equal(Reflect.get(seen[1]?.headers ?? {}, 'range'), 'bytes=2-3');
  });

  test('absent is a value only when the server says exactly that', async () => {
    says(404, error('NoSuchKey'));
    assert.equal(await store.get(NAME, undefined, NO_ABORT), undefined);
    says(404, error('NoSuchBucket'));
    await rejects(store.get(NAME, undefined, NO_ABORT), 'repository-missing');
  });

  const refusals: [string, number, string, Record<string, string>, string][] = [
    ['refused', 403, 'AccessDenied', { date: atMs(0) }, 'store-denied'],
    [
      'refused when the ticket has ended',
      403,
      'AccessDenied',
      { date: atMs(3_600_000) },
      'ticket-expired',
    ],
    ['busy', 503, 'SlowDown', {}, 'store-busy'],
    ['broken', 500, 'InternalError', {}, 'store-unreachable'],
    [
      'sent elsewhere',
      307,
      'TemporaryRedirect',
      { location: 'http://127.0.0.1:1/' },
      'store-refused',
    ],
  ];
  for (const [what, status, code, headers, expected] of refusals) {
    test(`${what} is ${expected}`, async () => {
      says(status, error(code), headers);
      await rejects(store.get(NAME, undefined, NO_ABORT), expected);
    });
  }

  test('a refusal that never ends is not read to its end', async () => {
    let isClosed = false;
    answer = (_, response) => {
      response.writeHead(503).on('close', () => (isClosed = true));
      const more = (): void => void (isClosed || response.write('x'.repeat(65_536), more));
      more();
    };
    await rejects(store.get(NAME, undefined, NO_ABORT), 'store-busy');
  });

  test('a server that ignores the range, or sends more than it said', async () => {
    says(200, 'abcdef');
    await rejects(store.get(NAME, { offset: 2, length: 2 }, NO_ABORT), 'store-refused');
    await rejects(store.getInto(NAME, undefined, Buffer.alloc(3), NO_ABORT), 'object-damaged');
    says(416, error('InvalidRange'));
    await rejects(store.get(NAME, { offset: 9, length: 2 }, NO_ABORT), 'object-damaged');
  });

  test('a connection that is cut, and nobody there', async () => {
    answer = (request) => void request.socket.destroy();
    await rejects(store.get(NAME, undefined, NO_ABORT), 'store-unreachable');
  });
});

describe('put', () => {
  test('sends what was signed', async () => {
    says(200);
    const stored = await store.put(NAME, Buffer.from('four'), { createOnly: true }, NO_ABORT);
    assert.equal(stored.outcome, 'stored');
    const headers = seen[0]?.headers ?? {};
    assert.equal(Reflect.get(headers, 'if-none-match'), '*');
    assert.equal(Reflect.get(headers, 'content-length'), '4');
  });

  test('taken is an answer', async () => {
    says(412, error('PreconditionFailed'));
    const stored = await store.put(NAME, Buffer.from('four'), {}, NO_ABORT);
    assert.equal(stored.outcome, 'exists');
  });

  test('a lost answer is settled by what lies there', async () => {
    answer = (request, response) => {
      if (request.method === 'PUT') request.socket.destroy();
      else if (request.headers.range === undefined) send(response, 200, 'four');
      else send(response, 206, 'four', { 'content-range': 'bytes 0-3/4' });
    };
    assert.equal((await store.put(NAME, Buffer.from('four'), {}, NO_ABORT)).outcome, 'stored');
    assert.equal((await store.put(NAME, Buffer.from('five'), {}, NO_ABORT)).outcome, 'exists');
  });
});

test('nothing that was not granted is asked for', async () => {
  await rejects(store.get('packs/another', undefined, NO_ABORT), 'bug');
  assert.throws(() => store.list('packs/', NO_ABORT), FerryError);
  assert.throws(() => store.delete(NAME, NO_ABORT), FerryError);
  assert.deepEqual(seen, []);
});

test('no error repeats the signature or the address', async () => {
  answer = (request) => void request.socket.destroy();
  const error: unknown = await store
    .get(NAME, undefined, NO_ABORT)
    .catch((reason: unknown) => reason);
  assert.ok(error instanceof FerryError);
  assert.doesNotMatch(error.message, /X-Amz|0707|AKIA/);
});

describe('addresses', () => {
  const template = templateAt('https://my-bucket.s3.eu-central-1.amazonaws.com/ferry/');
  test('taken apart and put together they are the same', () => {
    for (const token of [undefined, 'a+b/c==']) {
      for (const kind of [
        { method: 'GET' },
        { method: 'PUT', createOnly: true },
        { method: 'PUT', createOnly: false },
      ] as const) {
        const made = addressOf({ ...template, token }, kind, NAME, signature);
        const parts = takeApart(made, kind, NAME);
        assert.deepEqual(parts.template, { ...template, token });
        assert.deepEqual(Buffer.from(parts.signature), signature);
      }
    }
  });
  test('one with something more in it is refused: it could not be put together again', () => {
    const made = addressOf(template, { method: 'GET' }, NAME, signature);
    assert.throws(
      () => takeApart(`${made}&versionId=3`, { method: 'GET' }, NAME),
      (reason) => reason instanceof FerryError && reason.code === 'store-refused',
    );
  });
});

function atMs(afterSigningMs: number): string {
  return new Date(SIGNED_AT_SECONDS * 1000 + afterSigningMs).toUTCString();
}

async function rejects(work: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(work, (reason) => {
    assert.ok(reason instanceof FerryError, String(reason));
    assert.equal(reason.code, code, reason.message);
    return true;
  });
}
