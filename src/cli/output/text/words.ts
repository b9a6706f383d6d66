/** Numbers as people read them. */
import { printableLine } from './printable.ts';

export { bytesText, countText } from '../../../base/quantity-text.ts';

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

/** `2026-11-21 07:50:08` in UTC, which is what snapshots are dated by. */
export const timeText = (time: string): string =>
  time.replace('T', ' ').replace(/(\.\d+)?Z$/, ' UTC');

const RFC_TIMES = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g;

/** What the engine says, with its times as everywhere else. */
export const messageText = (message: string): string =>
  printableLine(message.replaceAll(RFC_TIMES, timeText));

/** The first digits of an id, enough to type. */
export const shortId = (id: string): string => id.slice(0, 8);

const pad = (value: number): string => String(value).padStart(2, '0');
