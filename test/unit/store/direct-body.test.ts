/** Large bodies past node:http: the plain case, and everything else left alone. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { DirectBodies, plainHead, type SignedGet } from '../../../src/store/direct-body.ts';
import { s3Error } from '../../../src/store/s3-errors.ts';

const NEVER = new AbortController().signal;
const BODY = Buffer.from('0123456789'.repeat(30_000));
const HEAD = `HTTP/1.1 200 OK\r\nContent-Length: ${BODY.length}\r\nDate: today\r\n\r\n`;

type Scene = {
  readonly direct: DirectBodies;
  readonly get: SignedGet;
  /** Every request so far, and on which connection. */
  readonly asked: { readonly text: string; readonly on: Socket }[];
};

/** A server that answers each request by `answer`. */
async function scene(
  context: TestContext,
  answer: (socket: Socket, request: number) => void,
  idleTimeoutMs = 30_000,
): Promise<Scene> {
  const asked: Scene['asked'] = [];
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (text) => {
      asked.push({ text: text.toString('latin1'), on: socket });
      answer(socket, asked.length);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const direct = new DirectBodies({ connectMs: 20_000, idleMs: idleTimeoutMs });
  context.after(() => {
    direct.close();
    for (const { on } of asked) on.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const get = { protocol: 'http:', hostname: '127.0.0.1', port, path: '/a?b=c' } as const;
  return { direct, get: { ...get, headers: { host: 'there', date: 'now' } }, asked };
}

test('a body lies where it was asked for and nowhere else, and the connection is used again', async (context) => {
  const { direct, get, asked } = await scene(context, (socket) => socket.write(HEAD + BODY));
  const around = Buffer.alloc(BODY.length + 200, 7);
  for (let time = 1; time <= 3; time++) {
    const head = await direct.receive(get, around.subarray(100, -50), NEVER);
    assert.deepEqual([head?.statusCode, head?.bodyBytes], [200, BODY.length]);
    assert.equal(head?.headers['date'], 'today');
    assert.ok(around.subarray(100, 100 + BODY.length).equals(BODY));
    assert.ok(around.subarray(0, 100).equals(Buffer.alloc(100, 7)));
    assert.ok(around.subarray(-100).equals(Buffer.alloc(100, 7)));
    around.fill(7);
  }
  assert.equal(asked[0]?.text, 'GET /a?b=c HTTP/1.1\r\nhost: there\r\ndate: now\r\n\r\n');
  assert.equal(asked.length, 3);
  assert.equal(new Set(asked.map(({ on }) => on)).size, 1);
});

test('a head that comes byte by byte is read as one', async (context) => {
  const { direct, get } = await scene(context, (socket) => {
    socket.setNoDelay(true);
    void (async () => {
      for (const byte of HEAD) {
        socket.write(byte);
        await new Promise(setImmediate);
      }
      socket.write(BODY);
    })();
  });
  const into = Buffer.alloc(BODY.length);
  assert.ok(await direct.receive(get, into, NEVER));
  assert.ok(into.equals(BODY));
});

const NOT_PLAIN: readonly (readonly [string, string])[] = [
  ['an error', `HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nhello`],
  ['a redirect', 'HTTP/1.1 307 Elsewhere\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'],
  ['a first answer before the answer', `HTTP/1.1 103 Hints\r\n\r\n${HEAD}`],
  ['pieces', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'],
  ['pieces and a length', HEAD.replace('Date: today', 'Transfer-Encoding: chunked')],
  ['no length', 'HTTP/1.1 200 OK\r\n\r\nhello'],
  ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
  ['a length that is none', 'HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello'],
  ['more than fits', 'HTTP/1.1 200 OK\r\nContent-Length: 300001\r\n\r\nhello'],
  ['more than it said', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhello'],
  ['an older version', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello'],
  ['a folded line', 'HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 5\r\n\r\nhello'],
  ['no HTTP', 'hello\r\n\r\n'],
  ['a head without end', `HTTP/1.1 200 OK\r\nA: ${'b'.repeat(20_000)}`],
];

for (const [what, answer] of NOT_PLAIN) {
  test(`not plain, and left to another client: ${what}`, async (context) => {
    const { direct, get, asked } = await scene(context, (socket) => socket.write(answer));
    const into = Buffer.alloc(BODY.length);
    assert.equal(await direct.receive(get, into, NEVER), undefined);
    assert.ok(into.equals(Buffer.alloc(BODY.length)), 'nothing was written');
    await direct.receive(get, into, NEVER);
    assert.equal(new Set(asked.map(({ on }) => on)).size, 2, 'that connection is not used again');
  });
}

test('a server that has too much to do is not asked again at once, by nobody', async (context) => {
  const { direct, get, asked } = await scene(context, (socket) =>
    socket.write('HTTP/1.1 503 Slow Down\r\nRetry-After: 7\r\nContent-Length: 5\r\n\r\nhello'),
  );
  const into = Buffer.alloc(BODY.length);
  await assert.rejects(direct.receive(get, into, NEVER), (error: Error) => {
    const { code, message, details } = s3Error(error, { action: 'get it', location: 's3://b' });
    assert.equal(code, 'store-busy');
    assert.equal(message, 'cannot get it at s3://b: 503 SlowDown');
    assert.equal(details['retryAfterMs'], 7000);
    return true;
  });
  assert.ok(into.equals(Buffer.alloc(BODY.length)), 'nothing was written');
  await assert.rejects(direct.receive(get, into, NEVER), { name: 'SlowDown' });
  assert.equal(new Set(asked.map(({ on }) => on)).size, 2, 'that connection is not used again');
});

test('a connection that ends before an answer is no failure, one that ends within an answer is', async (context) => {
  const { direct, get } = await scene(context, (socket, request) => {
    if (request === 1) socket.end();
    else socket.end(HEAD + BODY.subarray(0, 1000).toString());
  });
  const into = Buffer.alloc(BODY.length);
  assert.equal(await direct.receive(get, into, NEVER), undefined);
  await assert.rejects(direct.receive(get, into, NEVER), /closed early/);
});

test('a server that says it closes, or that closes while nobody asks, is connected to anew', async (context) => {
  const closing = HEAD.replace('Date: today', 'Connection: close');
  const { direct, get, asked } = await scene(context, (socket, request) => {
    if (request === 1) socket.write(closing + BODY);
    else if (request === 2) socket.end(HEAD + BODY);
    else socket.write(HEAD + BODY.toString() + (request === 3 ? 'and more' : ''));
  });
  const into = Buffer.alloc(BODY.length);
  for (let request = 1; request <= 4; request++) {
    into.fill(0);
    // What comes after a body may come later than the next question: then another client asks.
    const head = await direct.receive(get, into, NEVER);
    if (head) assert.ok(into.equals(BODY));
    else assert.ok(request > 2 && into.equals(Buffer.alloc(BODY.length)));
    await new Promise(setImmediate);
  }
  assert.ok(new Set(asked.map(({ on }) => on)).size >= 3);
});

test('silence ends, before an answer and within one', async (context) => {
  const answers = ['', HEAD];
  const { direct, get } = await scene(
    context,
    (socket, request) => socket.write(answers[request - 1] ?? ''),
    50,
  );
  for (const _ of answers) {
    const silent = direct.receive(get, Buffer.alloc(BODY.length), NEVER);
    await assert.rejects(silent, { code: 'ETIMEDOUT' });
  }
});

test('an abort ends it at once, and what was aborted writes no more', async (context) => {
  const { direct, get, asked } = await scene(context, (socket) =>
    socket.write(HEAD + BODY.subarray(0, 1000).toString()),
  );
  const into = Buffer.alloc(BODY.length);
  const stop = new AbortController();
  const aborted = direct.receive(get, into, stop.signal);
  while (into[999] === 0) await new Promise(setImmediate);
  stop.abort();
  await assert.rejects(aborted, /aborted/);
  into.fill(0);
  asked[0]?.on.write(BODY);
  await direct.receive(get, Buffer.alloc(10), NEVER);
  assert.ok(into.equals(Buffer.alloc(into.length)));
});

test('what was aborted before it began asks nobody', async (context) => {
  const { direct, get, asked } = await scene(context, () => undefined);
  await assert.rejects(direct.receive(get, Buffer.alloc(10), AbortSignal.abort()));
  assert.equal(asked.length, 0);
});

test('a name of a header is taken as it is', () => {
  const head = plainHead(
    'HTTP/1.1 206 Partial\r\n__proto__: a\r\nETag:"x"  \r\ncontent-length:\t7',
  );
  assert.deepEqual(Object.entries(head?.headers ?? {}), [
    ['__proto__', 'a'],
    ['etag', '"x"'],
    ['content-length', '7'],
  ]);
  assert.deepEqual([head?.statusCode, head?.bodyBytes], [206, 7]);
});
