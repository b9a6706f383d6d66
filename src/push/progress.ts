/** Counts what moves through a push and says so a few times a second. */
import type { Clock } from '../base/clock.ts';
import type { Emit } from '../base/events.ts';
import { walkTree } from '../fs/walk.ts';
import type { ArchiveRoot } from './archive-root.ts';
import { omitRuleOf } from './omit-spec.ts';

const EVERY_MS = 250;
/** A push that is over by then, or that reads nothing, needs no totals. */
const COUNT_AFTER_MS = 500;
/** The totals are counted in slices of this many entries while the work already runs. */
const COUNT_SLICE = 2000;

export type Totals = readonly ArchiveRoot[] | { readonly files: number; readonly bytes: number };

export class PushProgress {
  /** Bytes read by all workers, and how many of them were new; in shared memory. */
  readonly counters = new SharedArrayBuffer(16);
  readonly #counts = new BigInt64Array(this.counters);
  readonly #emit: Emit;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  readonly #hasTotals: boolean;
  readonly #totals: Generator<void, void>;
  #bytesTotal = 0;
  #filesTotal = 0;
  #totalsKnown = false;
  #bytesSettled = 0;
  #entriesSettled = 0;
  #bytesStored = 0;
  readonly #beganMs: number;
  #lastMs: number;

  /** @param totals what there is to do, or the roots that tell when they are counted; none: there are no totals */
  constructor(emit: Emit, clock: Clock, totals: Totals) {
    this.#emit = emit;
    this.#clock = clock;
    this.#beganMs = clock.nowMs();
    this.#lastMs = this.#beganMs;
    const counted = 'files' in totals ? [] : totals;
    if ('files' in totals) {
      this.#filesTotal = totals.files;
      this.#bytesTotal = totals.bytes;
      this.#totalsKnown = true;
    }
    this.#hasTotals = counted.length > 0;
    this.#totals = this.#count(counted);
    this.#timer = setInterval(() => this.#tick(), EVERY_MS);
    this.#timer.unref();
  }

  get bytesCaptured(): number {
    return Number(Atomics.load(this.#counts, 0));
  }

  get bytesNew(): number {
    return Number(Atomics.load(this.#counts, 1));
  }

  /** What this thread read itself; the workers count for themselves. */
  read(bytes: number, isNew: boolean): void {
    Atomics.add(this.#counts, 0, BigInt(bytes));
    if (isNew) Atomics.add(this.#counts, 1, BigInt(bytes));
  }

  settled(bytes: number): void {
    this.#bytesSettled += bytes;
    this.#entriesSettled += 1;
  }

  stored(bytes: number): void {
    this.#bytesStored += bytes;
  }

  end(): void {
    clearInterval(this.#timer);
    this.#say();
  }

  #tick(): void {
    const isLong = this.bytesCaptured > 0 && this.#clock.nowMs() - this.#beganMs >= COUNT_AFTER_MS;
    if (isLong && this.#hasTotals && !this.#totalsKnown)
      this.#totalsKnown = this.#totals.next().done === true;
    if (this.#clock.nowMs() - this.#lastMs >= EVERY_MS) this.#say();
  }

  #say(): void {
    this.#lastMs = this.#clock.nowMs();
    const bytesDone = Math.max(this.#bytesSettled, this.bytesCaptured);
    this.#emit({
      type: 'progress',
      stage: 'capture',
      bytesDone,
      bytesTotal: Math.max(this.#bytesTotal, bytesDone),
      filesDone: this.#entriesSettled,
      filesTotal: Math.max(this.#filesTotal, this.#entriesSettled),
      totalsKnown: this.#totalsKnown,
      bytesStored: this.#bytesStored,
    });
  }

  *#count(roots: readonly ArchiveRoot[]): Generator<void, void> {
    let slice = 0;
    for (const root of roots) {
      for (const item of walkTree(root.readFrom, { omit: omitRuleOf(root.omit) })) {
        if (item.kind !== 'entry') continue;
        this.#filesTotal += 1;
        this.#bytesTotal += item.size;
        if (++slice % COUNT_SLICE === 0) yield;
      }
    }
  }
}
