/** The line that slow runs go through: its time is told by a clock of ours, its sockets are real. */
import assert from 'node:assert/strict';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, test } from 'node:test';
import { Direction, type LineClock, type Part } from './direction.ts';
import { startSlowLine } from './slow-line.ts';
import { Talk, Trips } from './trips.ts';

const KIB = 1024;

describe('one direction', () => {
  const options = { delayMs: 20, bytesPerMs: 16 * KIB };

  test('brings a part when it has left at the rate and come all the way', () => {
    const clock = madeUpClock();
    const direction = new Direction(options, clock);
    const arrived = listen(direction, clock, ['only']);
    arrived.lanes[0]?.send(Buffer.alloc(40 * KIB));
    arrived.lanes[0]?.send('end');
    clock.run(100);
    assert.deepEqual(arrived.log, [
      ['only', 16 * KIB, 21],
      ['only', 16 * KIB, 22],
      ['only', 8 * KIB, 23],
      ['only', 'end', 23],
    ]);
  });

  test('is shared: connections take turns', () => {
    const clock = madeUpClock();
    const direction = new Direction(options, clock);
    const { lanes, log } = listen(direction, clock, ['large', 'small']);
    lanes[0]?.send(Buffer.alloc(64 * KIB));
    lanes[1]?.send(Buffer.alloc(16 * KIB));
    clock.run(100);
    assert.deepEqual(
      log.map(([who]) => who),
      ['large', 'large', 'small', 'large', 'large'],
    );
    assert.equal(log.at(-1)?.[2], 25);
  });

  test('loses nothing to a clock that calls late, and lends nothing for a pause', () => {
    const clock = madeUpClock();
    const direction = new Direction(options, clock);
    const { lanes, log } = listen(direction, clock, ['only']);
    lanes[0]?.send(Buffer.alloc(160 * KIB));
    clock.sleep(28);
    // By now eight parts have come, and all ten have left.
    assert.equal(log.length, 8);
    clock.run(100);
    lanes[0]?.send(Buffer.alloc(16 * KIB));
    clock.run(100);
    assert.deepEqual(
      log.slice(-2).map(([, , atMs]) => atMs),
      [30, 149],
    );
  });

  test('goes on after a stall where it stood', () => {
    const clock = madeUpClock();
    const direction = new Direction(options, clock);
    const { lanes, log } = listen(direction, clock, ['only']);
    lanes[0]?.send(Buffer.alloc(32 * KIB));
    clock.run(10);
    direction.stall(1000);
    clock.run(2000);
    assert.deepEqual(
      log.map(([, , atMs]) => atMs),
      [1021, 1022],
    );
  });
});

describe('round trips in a row', () => {
  test('are the longest chain of what waited for one another', () => {
    const trips = new Trips();
    trips.add(0, 40);
    trips.add(1, 41);
    trips.add(41, 81);
    trips.add(42, 90);
    trips.add(95, 130);
    assert.equal(trips.inARow, 3);
  });

  test('a question is asked with its first byte and answered with the first that comes back', () => {
    const trips = new Trips();
    const talk = new Talk(trips);
    talk.up(0);
    talk.up(10);
    talk.down(50);
    talk.down(60);
    talk.up(61);
    talk.down(101);
    assert.equal(trips.inARow, 2);
  });
});

describe('through sockets', () => {
  const body = Buffer.alloc(300_000, 'all of it ');
  const server: Server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on('data', (part: Buffer) => parts.push(part));
    incoming.on('end', () => outgoing.end(Buffer.concat(parts)));
  });
  after(() => server.close());
  const endpoint = async (): Promise<string> => {
    if (!server.listening) {
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    }
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };

  test('every byte comes in its order, and is counted', async () => {
    const line = await startSlowLine(await endpoint(), { roundTripMs: 3, bitsPerSecond: 1e9 });
    const answers = await Promise.all([1, 2, 3].map(() => send(line.endpoint, body)));
    assert.deepEqual(
      answers.map((answer) => answer.equals(body)),
      [true, true, true],
    );
    const { connections, bytesUp, bytesDown, tripsInARow } = await line.take();
    assert.equal(connections, 3);
    assert.ok(Math.min(bytesUp, bytesDown) > 3 * body.length);
    assert.ok(tripsInARow >= 2, 'to connect, and to ask');
    assert.equal((await line.take()).bytesUp, 0);
    await line.close();
  });

  test('a cut ends what is under way; later the line is there again', async () => {
    // So slow that it cannot be through before.
    const line = await startSlowLine(await endpoint(), { roundTripMs: 3, bitsPerSecond: 8e4 });
    const sent = send(line.endpoint, body);
    sent.catch(() => undefined);
    while ((await line.take()).bytesUp === 0);
    await line.cut(1);
    await assert.rejects(sent);
    const answer = async (): Promise<Buffer> => {
      try {
        return await send(line.endpoint, Buffer.from('again'));
      } catch {
        return answer();
      }
    };
    assert.equal((await answer()).toString(), 'again');
    await line.close();
  });
});

type MadeUpClock = LineClock & {
  /** Time passes, and who asked to be called is called in time. */
  run(forMs: number): void;
  /** The same, but everybody is called at its end. */
  sleep(forMs: number): void;
};

function madeUpClock(): MadeUpClock {
  let nowMs = 0;
  let calls: { readonly atMs: number; readonly call: () => void }[] = [];
  const pass = (untilMs: number, stepMs: number): void => {
    while (nowMs < untilMs) {
      nowMs += stepMs;
      const due = calls.filter(({ atMs }) => atMs <= nowMs);
      calls = calls.filter(({ atMs }) => atMs > nowMs);
      for (const { call } of due) call();
    }
  };
  return {
    nowMs: () => nowMs,
    after: (delayMs, call) => {
      const asked = { atMs: nowMs + delayMs, call };
      calls.push(asked);
      return () => void (calls = calls.filter((one) => one !== asked));
    },
    run: (forMs) => pass(nowMs + forMs, 1),
    sleep: (forMs) => pass(nowMs + forMs, forMs),
  };
}

type Arrival = [who: string, what: number | 'end', atMs: number];

function listen(direction: Direction, clock: LineClock, names: readonly string[]) {
  const log: Arrival[] = [];
  const lanes = names.map((name) =>
    direction.open((part: Part) => {
      log.push([name, part === 'end' ? part : part.length, clock.nowMs()]);
    }),
  );
  return { lanes, log };
}

function send(endpoint: string, body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const sent = request(endpoint, { method: 'PUT', agent: false }, (answer) => {
      const parts: Buffer[] = [];
      answer.on('data', (part: Buffer) => parts.push(part));
      answer.on('end', () => resolve(Buffer.concat(parts)));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
