/**
 * How many round trips a run cannot do without on this line: the longest chain of connections made and questions
 * answered of which each began after the one before had its answer. Where many are under way at once, one counts.
 */
export class Trips {
  inARow = 0;
  #chainEndMs = 0;

  /** Told in the order in which they end. */
  add(beganMs: number, endedMs: number): void {
    if (beganMs < this.#chainEndMs) return;
    this.inARow += 1;
    this.#chainEndMs = endedMs;
  }
}

/** Finds the questions of one connection: from the first byte up to the first byte of what comes back. */
export class Talk {
  readonly #trips: Trips;
  #askedMs: number | undefined;

  constructor(trips: Trips) {
    this.#trips = trips;
  }

  up(nowMs: number): void {
    this.#askedMs ??= nowMs;
  }

  down(nowMs: number): void {
    if (this.#askedMs !== undefined) this.#trips.add(this.#askedMs, nowMs);
    this.#askedMs = undefined;
  }
}
