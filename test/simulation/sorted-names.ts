/** What lies under names, so that those after a name, or below a prefix, are found without looking at all. */
export class SortedNames<Item extends { readonly name: string }> {
  readonly #sorted: Item[] = [];
  readonly #items = new Map<string, Item>();

  get(name: string): Item | undefined {
    return this.#items.get(name);
  }

  set(item: Item): void {
    const { name } = item;
    this.#sorted.splice(this.#placeOf(name), this.#items.has(name) ? 1 : 0, item);
    this.#items.set(name, item);
  }

  delete(name: string): void {
    if (this.#items.delete(name)) this.#sorted.splice(this.#placeOf(name), 1);
  }

  /** In order. @param after only those behind this name */
  below(prefix: string, after = ''): readonly Item[] {
    const from = this.#placeOf(after > prefix ? after : prefix);
    const start = this.#sorted[from]?.name === after ? from + 1 : from;
    return this.#sorted.slice(start, this.#placeOf(prefix + BEHIND_ALL));
  }

  #placeOf(name: string): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sorted[middle]?.name ?? '') < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** No name has such a letter. */
const BEHIND_ALL = '\u{ffff}';
