/**
 * One direction of a line: what all connections send shares one rate, and every byte arrives a fixed time after it
 * left. Nobody waits for an arrival before sending on; who sends faster than the rate is held up by its window.
 */
import { clearTimeout, setTimeout } from 'node:timers';

export type DirectionOptions = { readonly delayMs: number; readonly bytesPerMs: number };

/** Milliseconds that only grow, and a call when so many have passed. */
export type LineClock = {
  nowMs(): number;
  /** @returns takes the call back */
  after(delayMs: number, call: () => void): () => void;
};

export const systemLineClock: LineClock = {
  nowMs: () => performance.now(),
  after: (delayMs, call) => {
    const timer = setTimeout(call, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Bytes, or the end of what a connection has to say in this direction. */
export type Part = Buffer | 'end';
export type Lane = { send(part: Part): void };

type Queued = { readonly parts: Part[]; readonly arrive: (part: Part) => void };
type Underway = { readonly queued: Queued; readonly part: Part; arrivesMs: number };

/** Connections take turns of this many bytes. */
const TURN_BYTES = 16 * 1024;

export class Direction {
  readonly #options: DirectionOptions;
  readonly #clock: LineClock;
  /** Those that have something to send, in turn. */
  #turns: Queued[] = [];
  #underway: Underway[] = [];
  /** When what was sent last has left. */
  #freeAtMs = 0;
  #takeBack: (() => void) | undefined;

  constructor(options: DirectionOptions, clock: LineClock) {
    this.#options = options;
    this.#clock = clock;
  }

  /** A place of its own for one connection. */
  open(arrive: (part: Part) => void): Lane {
    const queued: Queued = { parts: [], arrive };
    return {
      send: (part) => {
        const isIdle = this.#turns.length === 0;
        if (queued.parts.length === 0) this.#turns.push(queued);
        queued.parts.push(...pieces(part));
        if (isIdle) this.#freeAtMs = Math.max(this.#freeAtMs, this.#clock.nowMs());
        this.#advance();
      },
    };
  }

  /** For so long nothing leaves and nothing arrives; then all goes on. */
  stall(forMs: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, this.#clock.nowMs()) + forMs;
    for (const one of this.#underway) one.arrivesMs += forMs;
    this.#advance();
  }

  /** What is on its way arrives nowhere. */
  drop(): void {
    this.#turns = [];
    this.#underway = [];
    this.#freeAtMs = 0;
    this.#takeBack?.();
  }

  /** By the time that it should be: a clock that calls late costs the line nothing. */
  #advance(): void {
    const nowMs = this.#clock.nowMs();
    while (this.#freeAtMs <= nowMs) {
      const queued = this.#turns.shift();
      const part = queued?.parts.shift();
      if (!queued || part === undefined) break;
      if (queued.parts.length > 0) this.#turns.push(queued);
      this.#freeAtMs += part === 'end' ? 0 : part.length / this.#options.bytesPerMs;
      this.#underway.push({ queued, part, arrivesMs: this.#freeAtMs + this.#options.delayMs });
    }
    while ((this.#underway[0]?.arrivesMs ?? Infinity) <= nowMs) {
      const arrived = this.#underway.shift();
      arrived?.queued.arrive(arrived.part);
    }
    this.#callAgain(nowMs);
  }

  #callAgain(nowMs: number): void {
    this.#takeBack?.();
    const leavesMs = this.#turns.length > 0 ? this.#freeAtMs : Infinity;
    const nextMs = Math.min(leavesMs, this.#underway[0]?.arrivesMs ?? Infinity);
    if (nextMs === Infinity) return;
    this.#takeBack = this.#clock.after(Math.max(1, nextMs - nowMs), () => this.#advance());
  }
}

function pieces(part: Part): Part[] {
  if (part === 'end') return [part];
  const count = Math.ceil(part.length / TURN_BYTES);
  return Array.from({ length: count }, (_, index) =>
    part.subarray(index * TURN_BYTES, (index + 1) * TURN_BYTES),
  );
}
