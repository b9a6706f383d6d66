/** What a drill found: for the screen, and as a page to keep. */
import { isChecked } from '../../../gateway/landing/checklist.ts';
import type { AnswerChoices } from '../answers.ts';
import { printableLine } from '../text/printable.ts';
import { checklistLines } from '../pull/answer.ts';
import type { DrillSummary, LastDrill } from './drill-summary.ts';
import { bytesText, countText, durationText, shortId, timeText } from '../text/words.ts';

export function drillLines(summary: DrillSummary, choices: AnswerChoices): string[] {
  const { paint, verbose } = choices;
  const { passed, kept, report } = summary;
  const result = passed ? paint.good('drill passed:') : paint.bad('drill FAILED:');
  const of = `${printableLine(summary.install)}@${printableLine(summary.machine)}`;
  return [
    `${result} ${of} from ${shortId(summary.snapshot)} of ${timeText(summary.pushed)}: ` +
      `${countText(summary.files, 'file')}, ${bytesText(summary.bytes)}`,
    ...lostLines(summary, verbose ? Infinity : LOST_SHOWN).map((line) => `  ${line}`),
    ...checklistLines(summary, choices),
    ...findingLines(summary).map((line) => `  ${line}`),
    ...(passed ? [durationLine(summary)] : []),
    evidenceLine(summary),
    ...(report === null ? [] : [`the page is in ${printableLine(report)}`]),
    kept === null
      ? 'nothing is left of the sandbox'
      : `the sandbox is still there, with secrets in plain text: ${printableLine(kept)}`,
  ];
}

export function lastDrillLine(last: LastDrill): string {
  const result = last.passed ? 'passed' : 'FAILED';
  const doctor = last.doctor ? '' : ', the doctor not asked';
  const of = `${printableLine(last.install)}@${printableLine(last.machine)}`;
  return (
    `last drill ${timeText(last.time)}, ${shortId(last.snapshot)} of ${of}: ${result}${doctor}` +
    `, on ${printableLine(last.ranBy)}`
  );
}

const LOST_SHOWN = 10;

function lostLines({ lost }: DrillSummary, shown: number): string[] {
  const more = lost.length - Math.min(shown, lost.length);
  return [
    ...lost
      .slice(0, shown)
      .map(({ path, why }) => `lost: ${printableLine(path)}: ${printableLine(why)}`),
    ...(more > 0 ? [`lost: ${more} more`] : []),
  ];
}

const findingLines = ({ doctor }: DrillSummary): string[] =>
  doctor.ran
    ? [
        `doctor: ${countText(doctor.findings.length, 'finding')}`,
        ...doctor.findings.map((text) => `  ${printableLine(text.replaceAll('\n', ' | '))}`),
      ]
    : [];

const evidenceLine = ({ record, recordProblem }: DrillSummary): string =>
  record === null
    ? `no record in the repository: ${printableLine(recordProblem ?? '')}`
    : `signed record: ${record}`;

/** At the rate of this machine, disk and line. */
function durationLine({ restoreMs, productMs, bytes, doctor }: DrillSummary): string {
  const rate = restoreMs > 0 ? ` (${bytesText((bytes * 1000) / restoreMs)}/s)` : '';
  const product = doctor.ran ? `, and commands of the product ${durationText(productMs)} more` : '';
  return `a full restore takes ${durationText(restoreMs)} here${rate}${product}`;
}

/** Plain text, a page for whoever asks for proof. Other lines than the first may change. */
export function drillPage(summary: DrillSummary): string {
  const { checklist, doctor, passed } = summary;
  const failed = checklist.filter(({ ok }) => !ok);
  const unchecked = checklist.filter((line) => line.ok && !isChecked(line));
  const checked = checklist.filter((line) => line.ok && isChecked(line));
  const product = doctor.ran ? `its own doctor was asked (${doctor.version ?? ''})` : 'not asked';
  return [
    DRILL_PAGE_TITLE,
    '',
    'A snapshot was restored into a sandbox with a home of its own, looked at, and thrown away.',
    '',
    `  Result      ${passed ? 'passed' : 'FAILED'}`,
    `  When        ${timeText(summary.time)} by the clock of the store`,
    `  Repository  ${printableLine(summary.repository)}`,
    `  Snapshot    ${summary.snapshot}, number ${summary.sequence} of its machine`,
    `  Pushed      ${timeText(summary.pushed)}`,
    `  Install     ${printableLine(summary.install)} of ${printableLine(summary.machine)}`,
    `  Content     ${countText(summary.files, 'file')}, ${bytesText(summary.bytes)}`,
    `  Product     ${product}`,
    `  Evidence    ${evidenceLine(summary)}`,
    '',
    ...section('Failed', [
      ...failed.map(
        ({ check, expected, found }) => `${check}: expected ${expected}, found ${found}`,
      ),
      ...lostLines(summary, Infinity),
    ]),
    ...section(
      'Not checked',
      unchecked.map(({ check, found }) => `${check}: ${found.replace(/^not checked: /, '')}`),
    ),
    ...section(
      'Checked',
      checked.map(({ check, found }) => `${check}: ${found}`),
    ),
    ...section('What the doctor said', findingLines(summary)),
    ...section('How long a restore takes', passed ? [durationLine(summary)] : []),
  ]
    .join('\n')
    .trimEnd()
    .concat('\n');
}

export const DRILL_PAGE_TITLE = 'stateferry drill report';

const section = (title: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${printableLine(line)}`), ''];
