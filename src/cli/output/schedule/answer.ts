/** What a schedule will do, did, and how it stands. */
import type { AnswerChoices } from '../answers.ts';
import { printableLine } from '../text/printable.ts';
import type { JobLine, JobRun, SchedulePlan, ScheduleShown, ScheduleSummary } from './summary.ts';
import { tableLines } from '../text/table.ts';
import { durationText, timeText } from '../text/words.ts';

export function scheduleLines(summary: ScheduleSummary, { paint }: AnswerChoices): string[] {
  switch (summary.action) {
    case 'install':
      return summary.planOnly
        ? [...schedulePlanLines(summary), ...textLines(summary)]
        : installedLines(summary);
    case 'status':
      return [
        ...(summary.schedule
          ? standingLines(summary.schedule)
          : ['no schedule is installed: stateferry schedule install sets one up']),
        ...summary.attention.flatMap(({ message, hint }) => [
          `${paint.bad('!')} ${printableLine(message)}`,
          `  ${printableLine(hint)}`,
        ]),
      ];
    case 'remove':
      return [
        ...(summary.removed.length === 0 ? ['no timer of stateferry was there'] : []),
        ...summary.removed.map((what) => `removed ${printableLine(what)}`),
        ...summary.complaints.map((what) => `note: ${printableLine(what)}`),
      ];
    default:
      return summary.idle === null ? summary.jobs.map(runLine) : [`nothing done: ${summary.idle}`];
  }
}

/** Before the question. */
export function schedulePlanLines(plan: SchedulePlan): string[] {
  const { scheduler, at, repositories, jobs, files, crontab, commands, tells, leftBehind } = plan;
  return [
    `by ${scheduler}, from ${at} on; what was missed is made up for within the hour`,
    ...jobs.map(
      ({ job, every, words }) => `  ${[job, ...words].map(printableLine).join(' ')}, ${every}`,
    ),
    ...repositories.map((one) => `  repository  ${printableLine(one)}`),
    ...files.map(({ path }) => `  writes      ${printableLine(path)}`),
    ...(crontab === null ? [] : ['  adds        a line to the crontab']),
    ...commands.map((one) => `  runs        ${printableLine(one)}`),
    ...tells.map((one) => `  tells       ${printableLine(one)}`),
    ...(leftBehind.length === 0
      ? []
      : [`  the timer will not have, from this shell: ${printableLine(leftBehind.join(', '))}`]),
  ];
}

const textLines = ({ files, crontab }: SchedulePlan): string[] => [
  ...files.flatMap(({ path, text }) => ['', `# ${printableLine(path)}`, ...linesOf(text)]),
  ...(crontab === null ? [] : ['', '# crontab', ...linesOf(crontab)]),
];

const linesOf = (text: string): string[] => text.trimEnd().split('\n').map(printableLine);

function installedLines({
  scheduler,
  at,
  jobs,
  proved,
}: Extract<ScheduleSummary, { action: 'install' }>): string[] {
  const what = jobs.map(({ job, every }) => `${job} ${every}`).join(', ');
  const pushed = proved?.installs ?? [];
  const done = pushed.length === 0 ? '' : `: pushed ${pushed.map(printableLine).join(', ')}`;
  return [
    `proved once in the timer's own environment${done}`,
    `installed by ${scheduler}: ${what}, from ${at} on`,
    'next: stateferry status says (exit status 24) when something is overdue',
  ];
}

/** Also for `status`. */
export function standingLines(shown: ScheduleShown): string[] {
  return [
    `by ${shown.scheduler}, from ${shown.at} on`,
    ...shown.repositories.map((one) => `repository ${printableLine(one)}`),
    ...tableLines(
      [{ title: 'job' }, { title: 'every' }, { title: 'last good' }, { title: 'next' }],
      shown.jobs.map(jobRow),
    ),
  ];
}

const jobRow = ({ job, every, lastOk, next, overdue }: JobLine): string[] => [
  job,
  every,
  `${lastOk === null ? 'never' : timeText(lastOk)}${overdue ? ' OVERDUE' : ''}`,
  timeText(next),
];

function runLine({ job, ok, exit, message, durationMs }: JobRun): string {
  const took = durationText(durationMs);
  if (ok) return `${job} done in ${took}${message === null ? '' : ` (${printableLine(message)})`}`;
  return `${job} FAILED with exit status ${exit} after ${took}: ${printableLine(message ?? '')}`;
}
