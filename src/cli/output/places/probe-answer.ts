/** What a store can do, in words; the JSON has the report under its own field names. */
import type { ProbeReport } from '../../../store/probe.ts';
import { printableLine } from '../text/printable.ts';
import type { ProbeSummary } from '../summary.ts';
import { durationText } from '../text/words.ts';

export function probeLines({ repository, report }: ProbeSummary): string[] {
  const rows = rowsOf(report).filter((row): row is [string, string] => row[1] !== undefined);
  const width = Math.max(...rows.map(([label]) => label.length));
  return [
    printableLine(repository),
    ...rows.map(([label, value]) => `  ${label.padEnd(width)}  ${printableLine(value)}`),
  ];
}

/** In the order in which people ask: what may I do, what does it refuse, what does it keep. */
function rowsOf(report: ProbeReport): (readonly [label: string, value: string | undefined])[] {
  const { race, left, unknown } = report;
  return [
    ['may write', report.write],
    ['may read', report.read],
    ['may delete', report.delete],
    ['create-only writes', report.createOnly],
    ['a second create is refused with', report.createOnlyRefusal],
    ['creating at once', race && `${race.racers} tried, at most ${race.winnersMax} won`],
    ['upload checksum it checks', report.uploadChecksum],
    ['range reads', report.rangeReads],
    ['lists what was just written', report.list],
    ['lists in pages', report.listPages],
    ['versioning', report.versioning],
    ['Object Lock', report.objectLock],
    ["its clock minus this machine's", signedDuration(report.clockDifferenceMs)],
    ['a small request takes', durationText(report.latencyMs)],
    ['could not be removed again', left.length > 0 ? left.join(', ') : undefined],
    ...unknown.map(({ what, why }) => ['not found out', `${what}: ${why}`] as const),
  ];
}

const signedDuration = (ms: number): string =>
  ms < 0 ? `-${durationText(-ms)}` : durationText(ms);
