/** What a store can do. */
import { printableLine } from './printable.ts';
import type { ProbeSummary } from './summary.ts';

export function probeLines({ repository, report }: ProbeSummary): string[] {
  const rows = Object.entries(report).filter(([, value]) => value !== undefined && !isEmpty(value));
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    printableLine(repository),
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${printableLine(valueText(value))}`),
  ];
}

const isEmpty = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

const valueText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);
