/** Numbers as people read them. */

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

/** `850 ms`, `12 s`, `3 min 05 s`, `2 h 10 min`. */
export function durationText(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 60)
    return durationMs < 10_000 ? `${(durationMs / 1000).toFixed(1)} s` : `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${pad(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

/** `1 file`, `1,204 files`. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}

/** `2026-11-21 07:50:08` in UTC, which is what snapshots are dated by. */
export const timeText = (time: string): string =>
  time.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');

/** The first digits of an id, enough to type. */
export const shortId = (id: string): string => id.slice(0, 8);

const pad = (value: number): string => String(value).padStart(2, '0');
