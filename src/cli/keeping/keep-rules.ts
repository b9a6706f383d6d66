/** Keep rules as they are typed. */
import { DAY_MS, HOUR_MS } from '../../base/durations.ts';
import { FerryError } from '../../base/errors.ts';
import type { KeepRules } from '../../maintenance/forget/retention.ts';
import { listOption, textOption } from '../call.ts';
import type { Call, VerbOption } from '../verb.ts';

export const KEEP_OPTIONS: readonly VerbOption[] = [
  { flags: '--keep-last <n>', about: 'keep the last N of each install' },
  { flags: '--keep-hourly <n>', about: 'keep the last one of each of the last N hours with any' },
  { flags: '--keep-daily <n>', about: 'the same with days' },
  { flags: '--keep-weekly <n>', about: 'the same with weeks, which begin on Monday' },
  { flags: '--keep-monthly <n>', about: 'the same with months' },
  { flags: '--keep-yearly <n>', about: 'the same with years' },
  {
    flags: '--keep-within <time>',
    about: 'keep what is at most so much older than the newest: 30d, 12h or 8w',
  },
  { flags: '--keep-label <label>', about: 'keep every one with this label', repeatable: true },
];

const COUNTS = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'] as const;
const COUNT_MAX = 1_000_000;

/** @throws usage: a number that is none, or no rule at all */
export function keepRulesOf(call: Call): KeepRules {
  const counts = COUNTS.flatMap((rule) => {
    const typed = textOption(call, `keep${rule[0]?.toUpperCase()}${rule.slice(1)}`);
    return typed === undefined ? [] : [[rule, countOf(rule, typed)] as const];
  });
  const within = textOption(call, 'keepWithin');
  const labels = listOption(call, 'keepLabel');
  const rules: KeepRules = {
    ...Object.fromEntries(counts),
    ...(within !== undefined && { withinMs: durationOf(within) }),
    ...(labels.length > 0 && { labels }),
  };
  if (Object.keys(rules).length > 0) return rules;
  throw new FerryError('usage', 'no keep rule is given: nothing says what shall stay', {
    hint: 'For example: stateferry forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run',
  });
}

function countOf(rule: string, typed: string): number {
  const count = /^\d{1,7}$/.test(typed) ? Number(typed) : 0;
  if (count >= 1 && count <= COUNT_MAX) return count;
  throw new FerryError('usage', `--keep-${rule} ${typed}: that is no number of snapshots to keep`, {
    hint: `Give a whole number from 1 on, as --keep-${rule} 7; leave the rule out to keep none by it.`,
  });
}

const UNITS_MS: Readonly<Record<string, number>> = {
  h: HOUR_MS,
  d: DAY_MS,
  w: 7 * DAY_MS,
};

function durationOf(typed: string): number {
  const [, count = '0', unit = ''] = /^(\d{1,5})([hdw])$/.exec(typed) ?? [];
  const durationMs = Number(count) * (UNITS_MS[unit] ?? 0);
  if (durationMs > 0) return durationMs;
  throw new FerryError('usage', `--keep-within ${typed} is no length of time`, {
    hint: 'Give hours, days or weeks, as --keep-within 30d',
  });
}
