import { DAY_MS, HOUR_MS } from '../../base/durations.ts';
import { FerryError } from '../../base/errors.ts';

const UNITS_MS: Readonly<Record<string, number>> = { h: HOUR_MS, d: DAY_MS };

/** `36h`, `3d`. @throws usage */
export function ageOf(option: string, typed: string | undefined): number | undefined {
  if (typed === undefined) return undefined;
  const match = /^([1-9]\d{0,3})([hd])$/.exec(typed);
  const ms = Number(match?.[1]) * (UNITS_MS[match?.[2] ?? ''] ?? Number.NaN);
  if (ms > 0) return ms;
  throw new FerryError('usage', `${option} ${typed} is no time`, {
    hint: `Give hours or days, as ${option} 36h or ${option} 3d`,
  });
}
