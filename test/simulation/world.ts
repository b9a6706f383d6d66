/**
 * Simulated time, and processes in it. Everything happens in events, one after the other; between two of them all
 * promises settle, so that the same dice give the same history. A process lives from one store operation to the next:
 * there it may sleep with its machine, or be killed, and then it never hears the answer.
 */
import type { Clock } from '../../src/base/clock.ts';

export const HOUR_MS = 60 * 60 * 1000;
export const DAY_MS = 24 * HOUR_MS;

type Event = { readonly atMs: number; readonly number: number; readonly happen: () => void };

export class World {
  nowMs: number;
  readonly #events: Event[] = [];
  #number = 0;
  /** Why this world is wrong; it stops at the first. */
  wrong: string | undefined;
  readonly happened = new Map<string, number>();

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  at(atMs: number, happen: () => void): void {
    const event = { atMs: Math.max(atMs, this.nowMs), number: this.#number++, happen };
    const heap = this.#events;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = heap[above];
      if (!parent || !isBefore(event, parent)) break;
      heap[place] = parent;
      place = above;
    }
    heap[place] = event;
  }

  /** Runs until nothing is left to happen, `endMs`, or something went wrong. */
  run(endMs: number): Promise<void> {
    return new Promise((resolve) => {
      const step = (): void => {
        const event = this.wrong === undefined ? this.#next() : undefined;
        if (!event || event.atMs > endMs) return resolve();
        this.nowMs = event.atMs;
        event.happen();
        whenSettled(step);
      };
      whenSettled(step);
    });
  }

  fail(why: string): void {
    this.wrong ??= `${new Date(this.nowMs).toISOString()}: ${why}`;
  }

  count(what: string): void {
    this.happened.set(what, (this.happened.get(what) ?? 0) + 1);
  }

  #next(): Event | undefined {
    const heap = this.#events;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      let child = heap[below];
      const other = heap[below + 1];
      if (child && other && isBefore(other, child)) {
        below += 1;
        child = other;
      }
      if (!child || isBefore(last, child)) break;
      heap[place] = child;
      place = below;
    }
    heap[place] = last;
    return first;
  }
}

const isBefore = (a: Event, b: Event): boolean =>
  a.atMs === b.atMs ? a.number < b.number : a.atMs < b.atMs;

/** Then no promise of the code under test can move on by itself: ticks come when all promises have had their turn. */
function whenSettled(step: () => void): void {
  void NOTHING.then(() => process.nextTick(step));
}
const NOTHING = Promise.resolve();

/** One run of a program on a machine. */
export class Process {
  readonly #world: World;
  readonly #onEnd: () => void;
  /** How far this machine's own clock is off. */
  readonly #skewMs: number;
  readonly startedMs: number;
  isAlive = true;
  /** Asleep until then. */
  wakesMs = 0;

  constructor(world: World, skewMs: number, onEnd: () => void) {
    this.#world = world;
    this.startedMs = world.nowMs;
    this.#skewMs = skewMs;
    this.#onEnd = onEnd;
  }

  /** Calls back after `delayMs`, or when the machine wakes after that; never when the process was killed. */
  after(delayMs: number, happen: () => void): void {
    this.#world.at(this.#world.nowMs + delayMs, () => {
      if (!this.isAlive) return;
      if (this.#world.nowMs < this.wakesMs) this.after(this.wakesMs - this.#world.nowMs, happen);
      else happen();
    });
  }

  sleepFor(delayMs: number): void {
    this.wakesMs = Math.max(this.wakesMs, this.#world.nowMs + delayMs);
  }

  /** By kill, or because its work is done. */
  end(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.#onEnd();
  }

  count(what: string): void {
    this.#world.count(what);
  }

  get clock(): Clock {
    return {
      nowMs: () => this.#world.nowMs + this.#skewMs,
      sleep: (delayMs) => new Promise((resolve) => this.after(delayMs, resolve)),
    };
  }
}
