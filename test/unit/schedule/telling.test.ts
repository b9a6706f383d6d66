/** Notifications: their words, their addresses, and how often they are tried. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test } from 'node:test';
import type { Clock } from '../../../src/base/clock.ts';
import {
  maskedAddress,
  noticeText,
  pingAddress,
  webhookBody,
  type Notice,
} from '../../../src/schedule/notice.ts';
import { post } from '../../../src/schedule/post.ts';

const NOTICE: Notice = {
  event: 'failed',
  machine: 'mac',
  job: 'push',
  time: '2026-11-21T03:30:00Z',
  code: 'store-denied',
  message: 'the store refused it',
};

test('words', () => {
  assert.equal(noticeText(NOTICE), 'stateferry on mac: push FAILED: the store refused it');
  assert.equal(
    noticeText({ ...NOTICE, event: 'recovered' }),
    'stateferry on mac: push works again',
  );
  assert.deepEqual(JSON.parse(webhookBody(NOTICE)), {
    event: 'failed',
    machine: 'mac',
    job: 'push',
    time: '2026-11-21T03:30:00Z',
    code: 'store-denied',
    message: 'the store refused it',
    text: 'stateferry on mac: push FAILED: the store refused it',
    content: 'stateferry on mac: push FAILED: the store refused it',
  });
});

test('addresses', () => {
  assert.equal(pingAddress('https://hc.example/abc', true), 'https://hc.example/abc');
  assert.equal(pingAddress('https://hc.example/abc/', false), 'https://hc.example/abc/fail');
  assert.equal(pingAddress('https://hc.example/abc?x=1', false), 'https://hc.example/abc/fail?x=1');
  assert.equal(
    maskedAddress('https://bob:pw@hc.example:8443/abc?k=1'),
    'https://hc.example:8443/…',
  );
});

describe('posting', () => {
  const calm = new AbortController().signal;
  const body = { type: 'text/plain', text: 'hello' };

  async function tried(statuses: readonly number[]): Promise<{
    why: string | undefined;
    count: number;
    waitedMs: number[];
  }> {
    let count = 0;
    const server = createServer((_request, response) => {
      response.writeHead(statuses[count++] ?? 200).end('an answer');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const waitedMs: number[] = [];
    const clock: Clock = {
      nowMs: () => 0,
      sleep: (delayMs) => {
        waitedMs.push(delayMs);
        return Promise.resolve();
      },
    };
    try {
      const why = await post(`http://127.0.0.1:${address.port}/token`, body, clock, calm);
      return { why, count, waitedMs };
    } finally {
      server.close();
    }
  }

  test('once where it is taken', async () => {
    assert.deepEqual(await tried([204]), { why: undefined, count: 1, waitedMs: [] });
  });

  test('again where that may help, and no more than three times', async () => {
    assert.deepEqual(await tried([503, 200]), { why: undefined, count: 2, waitedMs: [1000] });
    assert.deepEqual(await tried([500, 429, 502, 200]), {
      why: 'answered with status 502',
      count: 3,
      waitedMs: [1000, 5000],
    });
  });

  test('not again where it does not', async () => {
    assert.deepEqual(await tried([404, 200]), {
      why: 'answered with status 404',
      count: 1,
      waitedMs: [],
    });
  });

  test('nobody there: said without the address', async () => {
    const clock: Clock = { nowMs: () => 0, sleep: () => Promise.resolve() };
    const why = await post('http://127.0.0.1:9/planted-token', body, clock, calm);
    assert.match(why ?? '', /^gave no answer/);
    assert.doesNotMatch(why ?? '', /planted-token/);
  });
});
