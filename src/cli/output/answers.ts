/** Each verb's answer as lines for stdout. */
import { unreachable } from '../../base/errors.ts';
import { checkLines } from './keeping/check-answer.ts';
import { drillLines, lastDrillLine } from './keeping/drill-answer.ts';
import { entryText } from './text/entry-text.ts';
import { forgetLines } from './keeping/forget-answer.ts';
import { gatewayLines, statusLines } from './status/answer.ts';
import { handoffLines } from './handoff/answer.ts';
import type { Paint } from './text/paint.ts';
import { copyLines } from './places/copy-answer.ts';
import { leaveLines } from './members/leave-answer.ts';
import { machinesLines } from './members/machines-answer.ts';
import { mirrorLines } from './places/mirror-answer.ts';
import { printableLine } from './text/printable.ts';
import { keysLines } from './members/keys-answer.ts';
import { probeLines } from './places/probe-answer.ts';
import { demoLines, pullLines } from './pull/answer.ts';
import { importLines, pushLines, pushPlanLines } from './push/answer.ts';
import { pruneLines } from './keeping/prune-answer.ts';
import { repairLines } from './keeping/repair-answer.ts';
import type { AnswerItem } from './items.ts';
import { scheduleLines } from './schedule/answer.ts';
import type {
  ExportSummary,
  InitSummary,
  JoinSummary,
  SnapshotsSummary,
  Summary,
} from './summary.ts';
import { tableLines } from './text/table.ts';
import { undoLines } from './pull/undo-answer.ts';
import { bytesText, countText, shortId, timeText } from './text/words.ts';

export type AnswerChoices = {
  readonly exit: number;
  readonly verbose: boolean;
  readonly paint: Paint;
};

export function answerLines(summary: Summary, choices: AnswerChoices): string[] {
  switch (summary.verb) {
    case 'init':
      return initLines(summary);
    case 'join':
      return joinLines(summary);
    case 'leave':
      return leaveLines(summary, choices);
    case 'push':
      return 'dryRun' in summary ? pushPlanLines(summary) : pushLines(summary, choices);
    case 'pull':
      return pullLines(summary, choices);
    case 'undo':
      return undoLines(summary, choices);
    case 'snapshots':
      return snapshotsLines(summary);
    case 'gateways':
      return gatewayLines(summary, choices);
    case 'status':
      return statusLines(summary, choices);
    case 'handoff':
      return handoffLines(summary);
    case 'keys':
      return keysLines(summary);
    case 'machines':
      return machinesLines(summary, choices);
    case 'mirror':
      return mirrorLines(summary, choices);
    case 'copy':
      return copyLines(summary, choices);
    case 'policy':
      return JSON.stringify(summary.policy, null, 2).split('\n');
    case 'forget':
      return forgetLines(summary, choices);
    case 'prune':
      return pruneLines(summary, choices);
    case 'repair':
      return repairLines(summary, choices);
    case 'probe':
      return probeLines(summary);
    case 'schedule':
      return scheduleLines(summary, choices);
    case 'ls':
    case 'cat':
      return [];
    case 'check':
      return checkLines(summary, choices);
    case 'drill':
      return drillLines(summary, choices);
    case 'demo':
      return demoLines(summary, choices);
    case 'export':
      return summary.file === null ? [] : exportLines(summary, summary.file);
    case 'import':
      return importLines(summary, choices);
    case 'find':
      return summary.matches === 0
        ? [`no match in ${countText(summary.snapshots, 'snapshot')}`]
        : [];
    case 'diff': {
      const { added, removed, changed } = summary;
      return [`${added} added, ${removed} removed, ${changed} changed`];
    }
    default:
      return unreachable(summary);
  }
}

/** Whether the exit status says enough for `--quiet`. */
export function isOnlyAReport(summary: Summary): boolean {
  if ('dryRun' in summary) return false;
  if (summary.verb === 'schedule')
    return summary.action !== 'status' && !('planOnly' in summary && summary.planOnly);
  const { verb } = summary;
  const verbs = [
    'init',
    'join',
    'leave',
    'push',
    'pull',
    'undo',
    'import',
    'export',
    'forget',
    'prune',
    'drill',
  ];
  return verbs.includes(verb);
}

export function itemLine(item: AnswerItem): string {
  switch (item.type) {
    case 'root': {
      const { name, path, files, bytes } = item;
      return `${name}  ${printableLine(path)} (${countText(files, 'file')}, ${bytesText(bytes)})`;
    }
    case 'entry':
      return entryText(item);
    case 'match':
      return `${shortId(item.snapshot)}  ${timeText(item.time)}  ${entryText(item.entry)}`;
    case 'difference': {
      const sign = { added: '+', removed: '-', changed: 'M' }[item.change];
      const what = item.what.length === 0 ? '' : `  (${item.what.join(', ')})`;
      return `${sign} ${printableLine(item.path)}${what}`;
    }
    default:
      return unreachable(item);
  }
}

function initLines(summary: InitSummary): string[] {
  return [
    `created repository ${summary.id} in ${printableLine(summary.repository)}`,
    membershipLine(summary),
    ...(summary.lockDays === null
      ? []
      : [
          `the bucket keeps new objects from being deleted for ${countText(summary.lockDays, 'day')}`,
        ]),
    ...(summary.kit === null
      ? []
      : [`the recovery kit is in ${printableLine(summary.kit)}: keep it off this machine`]),
    ...rightsLines(summary),
    nextLine(summary),
  ];
}

function joinLines(summary: JoinSummary): string[] {
  return [
    `joined repository ${summary.id} in ${printableLine(summary.repository)}`,
    membershipLine(summary),
    ...rightsLines(summary),
    nextLine(summary),
  ];
}

/** Elsewhere a push means the default repository. */
const nextLine = ({ repository, isDefault }: InitSummary | JoinSummary): string =>
  `next: stateferry push${isDefault ? '' : ` -r '${printableLine(repository)}'`}`;

/** The key that init and join were run with may do everything, and should not stay on the machine. */
const rightsLines = ({ writer, policy }: InitSummary | JoinSummary): string[] =>
  policy === null
    ? []
    : [
        `it writes as ${writer}; "stateferry policy writer" prints the rights that its own key needs`,
      ];

function exportLines({ snapshot, files, bytes }: ExportSummary, file: string): string[] {
  const what = `${countText(files, 'file')}, ${bytesText(bytes)}`;
  return [`wrote ${what} of ${shortId(snapshot)} to ${printableLine(file)}, in plain text`];
}

function membershipLine({ machine, isDefault }: InitSummary | JoinSummary): string {
  const rest = isDefault ? ', and it is the default repository' : '';
  return `this machine is "${printableLine(machine)}" in it${rest}`;
}

function snapshotsLines(summary: SnapshotsSummary): string[] {
  const { snapshots, ownOnly, repository, lastDrill } = summary;
  if (snapshots.length === 0) {
    return [`no snapshots${ownOnly ? ' of this machine' : ''} in ${printableLine(repository)}`];
  }
  const table = tableLines(
    [
      { title: 'id' },
      { title: 'time' },
      { title: 'install' },
      { title: 'machine' },
      { title: 'no.', right: true },
      { title: 'files', right: true },
      { title: 'size', right: true },
      { title: 'label' },
    ],
    snapshots.map((one) => [
      shortId(one.id),
      timeText(one.time),
      printableLine(one.install),
      printableLine(one.machine),
      String(one.sequence),
      one.files.toLocaleString('en-US'),
      bytesText(one.bytes),
      printableLine(one.label ?? ''),
    ]),
  );
  if (lastDrill) return [...table, lastDrillLine(lastDrill)];
  return ownOnly ? table : [...table, 'no drill yet: stateferry drill rehearses a restore'];
}
