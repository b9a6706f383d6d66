/** What a restore has placed and fetched, said a few times a second. */
import type { Clock } from '../../base/clock.ts';
import type { Emit } from '../../base/events.ts';

const EVERY_MS = 250;

export class RestoreProgress {
  readonly #emit: Emit;
  readonly #clock: Clock;
  readonly #bytesTotal: number;
  readonly #filesTotal: number;
  #bytesPlaced = 0;
  #filesDone = 0;
  bytesFetched = 0;
  #lastMs: number;

  constructor(emit: Emit, clock: Clock, bytesTotal: number, filesTotal: number) {
    this.#emit = emit;
    this.#clock = clock;
    this.#bytesTotal = bytesTotal;
    this.#filesTotal = filesTotal;
    this.#lastMs = clock.nowMs();
  }

  add(placed: number, fetched: number): void {
    this.#bytesPlaced += placed;
    this.bytesFetched += fetched;
    if (this.#clock.nowMs() - this.#lastMs >= EVERY_MS) this.#say();
  }

  /** One more file has all its content. */
  fileDone(): void {
    this.#filesDone += 1;
  }

  end(): void {
    this.#say();
  }

  #say(): void {
    this.#lastMs = this.#clock.nowMs();
    this.#emit({
      type: 'progress',
      stage: 'download',
      bytesDone: this.#bytesPlaced,
      bytesTotal: this.#bytesTotal,
      filesDone: this.#filesDone,
      filesTotal: this.#filesTotal,
      bytesStored: this.bytesFetched,
      totalsKnown: true,
    });
  }
}
