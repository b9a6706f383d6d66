/** Work that was begun and is waited for later; its first failure is thrown wherever it is waited for. */
export class UnderWay {
  readonly #work = new Set<Promise<void>>();
  #failure: unknown;

  add(work: Promise<unknown>): void {
    const tracked = work
      .then(() => undefined)
      .catch((error: unknown) => {
        this.#failure ??= error;
      })
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  get size(): number {
    return this.#work.size;
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

  async all(): Promise<void> {
    await this.fewerThan(1);
  }

  rethrow(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }
}
