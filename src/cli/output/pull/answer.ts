/** What a pull is about to do, and what it did. */
import { ERROR_CODES } from '../../../base/errors.ts';
import { isChecked } from '../../../gateway/landing/checklist.ts';
import { afterPullLines } from './after-pull.ts';
import type { AnswerChoices } from '../answers.ts';
import type { PlanShown } from '../output.ts';
import { printableLine } from '../text/printable.ts';
import type { DemoSummary } from '../summary.ts';
import type { PullSummary } from './summary.ts';
import { keptLines, movedBackLines } from './undo-answer.ts';
import { bytesText, countText, durationText, shortId } from '../text/words.ts';

export function planLines(plan: PlanShown): string[] {
  const owner = plan.owner === undefined ? '' : `, owned by ${plan.owner.uid}:${plan.owner.gid}`;
  const cli = plan.cli === undefined ? 'not used' : printableLine(plan.cli);
  const amount = `${countText(plan.files, 'file')}, ${bytesText(plan.bytes)}`;
  return [
    `plan: ${printableLine(plan.install)} from snapshot ${shortId(plan.snapshot)}: ${amount}${owner}`,
    ...plan.placed.flatMap(({ root, from, to, aside }) => [
      `  ${root}: ${printableLine(from)} → ${printableLine(to)}`,
      ...aside.map(asideLine),
    ]),
    ...gatewayLines(plan.gateway),
    `  product command: ${cli}; doctor: ${yesNo(plan.doctor)}; restart: ${yesNo(plan.restart)}`,
  ];
}

function gatewayLines(gateway: PlanShown['gateway']): string[] {
  if (gateway === undefined) return [];
  const { why, pid } = gateway;
  const how =
    pid === undefined ? '' : `; where its own command does not do it, process ${pid} is ended`;
  return [`  the gateway that runs here (${printableLine(why)}) will be stopped${how}`];
}

const asideLine = (path: string): string =>
  `    what is there now is moved to ${printableLine(path)}`;
const yesNo = (value: boolean): string => (value ? 'yes' : 'no');

export function pullLines(summary: PullSummary, choices: AnswerChoices): string[] {
  const { paint, verbose } = choices;
  const names = summary.installs?.map(({ install }) => install) ?? [summary.install];
  const from = summary.installs ? countText(names.length, 'snapshot') : shortId(summary.snapshot);
  const { source = summary.install } = summary;
  const isRenamed = summary.installs === undefined && source !== summary.install;
  const as = isRenamed ? ` (was ${printableLine(source)})` : '';
  return [
    `${paint.good(doneText(summary))} ${printableLine(names.join(', '))}${as} from ${from}: ` +
      `${countText(summary.files, 'file')}, ${bytesText(summary.bytes)}${effortText(summary)}`,
    ...(summary.installs ?? [summary]).flatMap(({ install, placed }) => [
      ...(summary.installs ? [`  ${printableLine(install)}`] : []),
      ...placed.flatMap(({ root, from, to, aside }) => [
        `  ${root}: ${printableLine(from)} → ${printableLine(to)}`,
        ...(summary.dryRun === true ? (aside ?? []).map(asideLine) : []),
      ]),
    ]),
    ...relocatedLines(summary, verbose),
    ...summary.problems.map(
      ({ path, code }) => `  not restored: ${printableLine(path)}: ${problemText(code)}`,
    ),
    ...doctorLines(summary),
    ...checklistLines(summary, choices),
    ...(summary.undone ? [] : afterPullLines(summary, choices)),
    ...undoLines(summary, choices),
    ...(typeof summary.join === 'string'
      ? [`to keep the backups going from here: ${printableLine(summary.join)}`]
      : []),
  ];
}

const problemText = (code: string): string =>
  code === 'object-damaged'
    ? 'its content is missing or damaged in the repository'
    : printableLine(code);

/** The swap is what a gateway has to stand still for; all of it is the doctor and the restart too. */
function effortText(summary: PullSummary): string {
  const { dryRun, bytesFetched, durationMs, downtimeMs } = summary;
  if (dryRun === true) return '';
  const fetched = `, ${bytesText(bytesFetched)} fetched`;
  const swapped = downtimeMs === 0 ? '' : `, swapped in ${durationText(downtimeMs)}`;
  return `${fetched}${swapped}; took ${durationText(durationMs)}`;
}

function doneText({ dryRun, undone, alreadyInPlace }: PullSummary): string {
  if (dryRun === true) return 'would pull';
  if (undone) return 'pulled, and undone again:';
  return alreadyInPlace === true ? 'in place already:' : 'pulled';
}

export function demoLines(summary: DemoSummary, choices: AnswerChoices): string[] {
  const { from, to, product } = summary;
  const moved = `${countText(summary.files, 'file')}, ${bytesText(summary.bytes)}`;
  return [
    `moved ${moved} from ${from.user} to ${to.user} in ${durationText(summary.durationMs)}; ` +
      `${countText(summary.edits, 'path')} repaired`,
    ...checklistLines(summary, choices),
    product.standIn
      ? 'No product command is used here: a stand-in answered as doctor. stateferry demo --real installs a real one.'
      : `The doctor was the real one: ${printableLine(product.version)}.`,
    'look at it (what differs: repaired paths, and what was written there after the push):',
    ...summary.look.map((command) => `  ${printableLine(command)}`),
  ];
}

/** A dry run is asked for the edits themselves. */
function relocatedLines({ relocated, dryRun }: PullSummary, verbose: boolean): string[] {
  if (relocated.length === 0) return [];
  const edits = relocated.reduce((sum, one) => sum + one.edits, 0);
  return [
    `  paths edited: ${edits} in ${countText(relocated.length, 'file')}`,
    ...(verbose || dryRun === true ? relocated.flatMap(editLines) : []),
  ];
}

function editLines({ file, edits, changes = [] }: PullSummary['relocated'][number]): string[] {
  return [
    `    ${printableLine(file)}: ${edits}`,
    ...changes.map(({ where, line, from, to }) => {
      const place = line === null ? where : `line ${line}, ${where}`;
      return printableLine(`      ${place}: ${from} → ${to}`);
    }),
  ];
}

function doctorLines({ doctor }: PullSummary): string[] {
  if (!doctor.ran) return [];
  return [
    `  doctor: ${countText(doctor.findings.length, 'finding')}`,
    ...doctor.findings.map((finding) => `    ${printableLine(finding.replaceAll('\n', ' | '))}`),
  ];
}

export function checklistLines(
  { checklist }: Pick<PullSummary, 'checklist'>,
  { paint }: AnswerChoices,
): string[] {
  if (checklist.length === 0) return [];
  const width = Math.max(...checklist.map(({ check }) => printableLine(check).length));
  return [
    'checklist',
    ...checklist.map(({ check, ok, expected, found }) => {
      const name = printableLine(check).padEnd(width);
      const text = ok ? found : `expected ${expected}, found ${found}`;
      const mark = !ok
        ? paint.bad('FAILED')
        : isChecked({ found })
          ? paint.good('ok    ')
          : '-     ';
      return `  ${mark}  ${name}  ${printableLine(text)}`;
    }),
  ];
}

const CHECKLIST_FAILED = ERROR_CODES['checklist-failed'].exit;

function undoLines(summary: PullSummary, { verbose, exit }: AnswerChoices): string[] {
  const { undo, undone } = summary;
  if (undone) return ['everything is as it was before the pull', ...movedBackLines(undone)];
  if (undo === null) return [];
  const { command, discard, byHand } = undo;
  return [
    ...(undo.aside.length === 0 ? [] : ['what was here before']),
    ...keptLines(undo),
    exit === CHECKLIST_FAILED
      ? `a critical line failed; to put back what was here before: ${printableLine(command)}`
      : `to put back what was here before: ${printableLine(command)}`,
    ...(verbose ? byHand.map((line) => `  by hand: ${printableLine(line)}`) : []),
    ...(discard === null ? [] : [`to remove it for good: ${printableLine(discard)}`]),
  ];
}
