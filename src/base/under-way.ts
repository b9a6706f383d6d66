/** Work that was begun and is waited for later; its first failure is thrown wherever it is waited for. */
export class UnderWay {
  readonly #work = new Set<Promise<void>>();
  readonly #onFailure: () => void;
  #failure: unknown;

  /** @param onFailure for what must stop at once, before anybody waits here */
  constructor(onFailure: () => void = () => undefined) {
    this.#onFailure = onFailure;
  }

  add(work: Promise<unknown>): void {
    const tracked = work
      .then(() => undefined)
      .catch((error: unknown) => {
        this.#failure ??= error;
        this.#onFailure();
      })
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  get size(): number {
    return this.#work.size;
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined;
  }

  /** Waits until one is finished, if any is under way. */
  async one(): Promise<void> {
    if (this.#work.size > 0) await Promise.race(this.#work);
    this.rethrow();
  }

  async fewerThan(count: number): Promise<void> {
    while (this.#work.size >= count) await this.one();
    this.rethrow();
  }

  /** Waits until everything has ended, failed or not: nothing of it goes on behind the caller's back. */
  async all(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work);
    this.rethrow();
  }

  rethrow(): void {
    if (this.hasFailed) throw this.#failure;
  }
}
