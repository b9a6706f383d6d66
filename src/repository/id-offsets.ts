/** For every slot of a chunk table, from which byte of its pack's directory on the chunk's id stands there. */
export class IdOffsets {
  #offsets = new Uint32Array(1024);

  set(slot: number, offset: number): void {
    if (slot >= this.#offsets.length) {
      const grown = new Uint32Array(Math.max(slot + 1, this.#offsets.length * 2));
      grown.set(this.#offsets);
      this.#offsets = grown;
    }
    this.#offsets[slot] = offset;
  }

  get(slot: number): number {
    return this.#offsets[slot] ?? 0;
  }
}
