/** What lies under names, so that those after a name, or below a prefix, are found without looking at all. */
export class SortedNames<Item extends { readonly name: string }> {
  readonly #names: string[] = [];
  readonly #items = new Map<string, Item>();

  get(name: string): Item | undefined {
    return this.#items.get(name);
  }

  set(item: Item): void {
    const { name } = item;
    if (!this.#items.has(name)) this.#names.splice(this.#placeOf(name), 0, name);
    this.#items.set(name, item);
  }

  delete(name: string): void {
    if (this.#items.delete(name)) this.#names.splice(this.#placeOf(name), 1);
  }

  /** In order. @param after only those behind this name */
  *below(prefix: string, after = ''): Generator<Item> {
    const names = this.#names;
    for (let at = this.#placeOf(after > prefix ? after : prefix); at < names.length; at++) {
      const name = names[at] ?? '';
      if (!name.startsWith(prefix)) return;
      const item = this.#items.get(name);
      if (item && name > after) yield item;
    }
  }

  #placeOf(name: string): number {
    let low = 0;
    let high = this.#names.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#names[middle] ?? '') < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
