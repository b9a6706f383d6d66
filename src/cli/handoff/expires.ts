import { DAY_MS, HOUR_MS } from '../../base/durations.ts';
import { FerryError } from '../../base/errors.ts';

const DEFAULT_MS = DAY_MS;
/** Signatures allow no more, and prune counts on it. */
const MAX_MS = 7 * DAY_MS;
const MIN_MS = 60_000;
const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: HOUR_MS, d: DAY_MS };

/** `90m`, `24h`, `7d`. */
export function lifeOf(typed: string | undefined): number {
  if (typed === undefined) return DEFAULT_MS;
  const match = /^(\d{1,5})([mhd])$/.exec(typed);
  const lifeMs = Number(match?.[1]) * (UNITS[match?.[2] ?? ''] ?? Number.NaN);
  if (lifeMs >= MIN_MS && lifeMs <= MAX_MS) return lifeMs;
  throw new FerryError('usage', '--expires is no life that a ticket can have', {
    hint: 'Give minutes, hours or days, at most a week: --expires 90m, --expires 24h, --expires 7d',
  });
}
