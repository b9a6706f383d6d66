/** Which gateways there are, and how things stand. */
import type { AnswerChoices } from '../answers.ts';
import { lastDrillLine } from '../keeping/drill-answer.ts';
import { handoffStatusLines } from '../handoff/answer.ts';
import { printableLine } from '../text/printable.ts';
import { lostLine } from '../keeping/forget-answer.ts';
import type { GatewayLine } from './gateway-line.ts';
import { standingLines } from '../schedule/answer.ts';
import type { GatewaysSummary, StatusSummary } from './summary.ts';
import type { WayBack } from '../pull/summary.ts';
import { keptLines } from '../pull/undo-answer.ts';
import { bytesText, countText, messageText, shortId, timeText } from '../text/words.ts';

export function gatewayLines({ installs }: GatewaysSummary, { verbose }: AnswerChoices): string[] {
  if (installs.length === 0) return ['no gateway was found in this home'];
  return installs.flatMap((install) => [
    headLine(install),
    `  state      ${printableLine(install.stateDir)}`,
    ...(install.readFrom === null ? [] : [`  read from  ${printableLine(install.readFrom)}`]),
    `  config     ${printableLine(install.configPath)}`,
    ...install.workspaces.map((path) => `  workspace  ${printableLine(path)}`),
    ...install.agents.map(
      ({ id, sessions }) => `  agent      ${printableLine(id)} (${countText(sessions, 'session')})`,
    ),
    ...(install.service === null
      ? []
      : [`  service    ${install.service.kind} ${printableLine(install.service.name)}`]),
    ...install.why
      .slice(0, verbose ? Infinity : 3)
      .map(({ source, detail }) => `  known by   ${source}: ${printableLine(detail)}`),
  ]);
}

function headLine(install: GatewayLine): string {
  const version = install.version === null ? 'version unknown' : printableLine(install.version);
  const host = printableLine(install.remoteUrl ?? 'a remote gateway');
  const mode = install.mode === 'remote' ? `client of ${host}` : 'local';
  return `${printableLine(install.install)}  ${version}, ${mode}, ${install.running ? 'running' : 'not running'}`;
}

export function statusLines(summary: StatusSummary, { paint }: AnswerChoices): string[] {
  return [
    'gateways here',
    ...orNone(summary.installs.map((install) => `  ${headLine(install)}`)),
    'repositories',
    ...orNone(summary.repositories.flatMap(repositoryLines)),
    ...handoffStatusLines(summary.handoffs),
    ...scheduleLines(summary),
    ...(summary.lastPull === null ? [] : ['last pull', `  ${pullLine(summary.lastPull)}`]),
    ...(summary.kept.length === 0 ? [] : ['can be undone', ...summary.kept.flatMap(wayBackLines)]),
    'needs attention',
    ...(summary.attention.length === 0
      ? [`  ${paint.good('nothing')}`]
      : summary.attention.flatMap(({ message, hint }) => [
          `  ${paint.bad('!')} ${messageText(message)}`,
          `    ${printableLine(hint)}`,
        ])),
  ];
}

/** Where nothing could be pushed there is nothing to say of when. */
function scheduleLines({ schedule, repositories }: StatusSummary): string[] {
  if (schedule) return ['schedule', ...standingLines(schedule).map((line) => `  ${line}`)];
  if (repositories.length === 0) return [];
  return ['schedule', '  none of ours: stateferry schedule install pushes every night'];
}

function repositoryLines(one: StatusSummary['repositories'][number]): string[] {
  const marks = [
    ...(one.isDefault ? ['default'] : []),
    one.joined ? `this machine is "${printableLine(one.machine ?? '')}"` : 'not joined',
    ...(one.revoked === null ? [] : [`revoked on ${one.revoked.slice(0, 10)}`]),
    ...(one.lockDays === null ? [] : [`locked for ${countText(one.lockDays, 'day')}`]),
    ...(one.reachable ? [] : ['cannot be reached now']),
  ];
  return [
    `  ${printableLine(one.location)} (${marks.join(', ')})`,
    ...one.lastPush.map(
      (push) =>
        `    ${printableLine(push.install)}: last push ${timeText(push.time)}, ${shortId(push.snapshot)}, ` +
        `${countText(push.files, 'file')}, ${bytesText(push.bytes)}`,
    ),
    ...(one.lastCopy === null
      ? []
      : [`    last copy ${timeText(one.lastCopy.time)}, from ${printableLine(one.lastCopy.from)}`]),
    ...one.lost.map((lost) => `    ${lostLine(lost)}, as was accepted`),
    ...(one.lastDrill === null ? [] : [`    ${lastDrillLine(one.lastDrill)}`]),
  ];
}

function wayBackLines(way: WayBack): string[] {
  const names = way.installs.map(({ install }) => printableLine(install)).join(', ');
  return [
    `  the pull of ${names}, ${timeText(way.since)}: ${printableLine(way.command)}`,
    ...keptLines(way).map((line) => `  ${line}`),
    ...(way.discard === null ? [] : [`    to remove it for good: ${printableLine(way.discard)}`]),
  ];
}

function pullLine(pull: NonNullable<StatusSummary['lastPull']>): string {
  const end = pull.ok ? 'checklist passed' : 'checklist FAILED';
  return `${printableLine(pull.install)} from ${shortId(pull.snapshot)}, ${timeText(pull.time)}, ${end}`;
}

const orNone = (lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? ['  none'] : lines;
