/** Sizes and counts as people read them, in messages too. */

const BINARY = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** `512 B`, `1.4 GiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < BINARY.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${BINARY[unit] ?? ''}`;
}

/** `1 file`, `1,204 files`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
