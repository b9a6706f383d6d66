/** What is said of databases and transcripts after each was opened. */
import type { FileKind, FileVerdict } from '../fs/whole-file.ts';
import type { CheckLine } from '../gateway/landing/checklist.ts';
import { named } from './named.ts';

export type Judged = FileVerdict & { readonly name: string; readonly kind: FileKind };

export function databasesLine(judged: readonly Judged[]): CheckLine {
  const databases = judged.filter(({ kind }) => kind === 'database');
  const wrong = withReason(databases, (one) => one.wrong);
  const unknown = withReason(databases, (one) => one.unknown);
  const whole = databases.length - wrong.length - unknown.length;
  const found = [
    `${whole} whole`,
    ...(wrong.length > 0 ? [`damaged: ${named(wrong)}`] : []),
    ...(unknown.length > 0 ? [`not to be opened here: ${named(unknown)}`] : []),
  ];
  return {
    check: 'databases (integrity_check)',
    ok: wrong.length === 0,
    critical: true,
    expected: `${databases.length} whole`,
    found: found.join('; '),
  };
}

/** A record that the product itself left half written is no damage of the snapshot; a transcript without any is. */
export function transcriptsLine(judged: readonly Judged[]): CheckLine {
  const sum = (of: (one: Judged) => number): number =>
    judged.reduce((total, one) => total + of(one), 0);
  const records = sum((one) => one.records);
  const torn = judged.filter((one) => one.torn > 0);
  const names = torn.map(({ name, wrong }) => (wrong === undefined ? name : `${name} (${wrong})`));
  const parsed = `${records - sum((one) => one.torn)} parsed`;
  return {
    check: 'records of transcripts',
    ok: torn.length === 0,
    critical: torn.some((one) => one.torn === one.records),
    expected: `${records} parsed`,
    found: [parsed, ...(names.length > 0 ? [`not: ${named(names)}`] : [])].join('; '),
  };
}

const withReason = (
  judged: readonly Judged[],
  reason: (one: Judged) => string | undefined,
): string[] =>
  judged.flatMap((one) => {
    const why = reason(one);
    return why === undefined ? [] : [`${one.name} (${why})`];
  });
