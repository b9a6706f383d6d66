/** The table: medians over the rounds, and how many times ours the peer took. Ratios matter, not seconds. */
import type { Traffic } from './counting-proxy.ts';
import type { CrowdFigure } from './crowded.ts';
import type { DaysFigure } from './days.ts';
import type { BestOfLine } from './line/best-of-line.ts';
import type { LineOptions } from './line/slow-line.ts';
import type { LargeFigure } from './large.ts';
import { OPERATIONS, type Figure, type Operation } from './round.ts';
import type { WorkloadName } from './workloads.ts';

const MIB = 1024 * 1024;
const OURS = 'stateferry';

type Row = {
  readonly tool: string;
  readonly operation: Operation;
  readonly runs: number;
  readonly wallMs: number;
  readonly wallSpread: string;
  readonly cpuMs: number;
  readonly rssMaxBytes: number;
  readonly storedBytes: number;
  readonly traffic: Traffic | undefined;
};

export function renderTables(timed: readonly Figure[], counted: readonly Figure[]): string {
  const workloads = [...new Set([...timed, ...counted].map((figure) => figure.workload))];
  return workloads.map((workload) => renderWorkload(workload, timed, counted)).join('\n\n');
}

export function renderDays(figures: readonly DaysFigure[]): string {
  const head = [
    'tool',
    'pushes: CPU s',
    'up MiB',
    'forget + prune: runs',
    'wall s',
    'CPU s',
    'CPU × ours',
    'RSS MiB',
    'up MiB',
    'down MiB',
    'requests (put/get/head/list/delete)',
    'deleted MiB',
    'stored at the end MiB',
    'when all is swept MiB',
    'check: CPU s',
    'RSS MiB',
  ];
  const ours = figures.find(({ tool }) => tool === OURS);
  const lines = figures.map(({ tool, push, tidy, tidied, check, ...bytes }) => [
    tool,
    seconds(push.cpuMs),
    trafficCells(push.traffic)[0] ?? '',
    String(tidied),
    seconds(tidy.wallMs),
    seconds(tidy.cpuMs),
    ours === undefined || tool === OURS ? '–' : (tidy.cpuMs / ours.tidy.cpuMs).toFixed(2),
    mib(tidy.rssMaxBytes),
    ...trafficCells(tidy.traffic),
    mib(bytes.deletedBytes),
    mib(bytes.endBytes),
    mib(bytes.settledBytes),
    seconds(check.cpuMs),
    mib(check.rssMaxBytes),
  ]);
  return renderRows(head, lines);
}

export function renderCrowd(figures: readonly CrowdFigure[]): string {
  const head = [
    'snapshots',
    'packs',
    'question',
    '',
    'wall s',
    'CPU s',
    'RSS MiB',
    'up MiB',
    'down MiB',
    'requests (put/get/head/list/delete)',
  ];
  const lines = figures.map(({ snapshots, packs, question, when, ...cost }) => [
    String(snapshots),
    String(packs),
    question,
    when,
    seconds(cost.wallMs),
    seconds(cost.cpuMs),
    mib(cost.rssMaxBytes),
    ...trafficCells(cost.traffic),
  ]);
  return renderRows(head, lines);
}

/** Medians of what passed the line, and which share of its rate that was from the start of a command to its end. */
export function renderLine(figures: readonly Figure[], { bitsPerSecond }: LineOptions): string {
  const head = [
    'workload',
    'operation',
    'tool',
    'wall s',
    'up MiB',
    'down MiB',
    'share of the line',
    'connections',
    'round trips in a row',
  ];
  const groups = Map.groupBy(figures, ({ workload, operation, tool }) =>
    [workload, operation, tool].join(' | '),
  );
  const lines = [...groups].toSorted(byOperation).map(([place, group]) => {
    const middle = (of: (figure: Figure) => number | undefined): number =>
      median(group.map((figure) => of(figure) ?? Number.NaN));
    const wallMs = middle((figure) => figure.wallMs);
    const up = middle((figure) => figure.onLine?.bytesUp);
    const down = middle((figure) => figure.onLine?.bytesDown);
    return [
      place,
      seconds(wallMs),
      (up / MIB).toFixed(2),
      (down / MIB).toFixed(2),
      percent((Math.max(up, down) * 8000) / bitsPerSecond / wallMs),
      middle((figure) => figure.onLine?.connections).toFixed(0),
      middle((figure) => figure.onLine?.tripsInARow).toFixed(0),
    ];
  });
  return renderRows(head, lines);
}

type Group = readonly [string, readonly Figure[]];

function byOperation([, one]: Group, [, other]: Group): number {
  const place = (group: readonly Figure[]): number =>
    OPERATIONS.findIndex((operation) => operation === group[0]?.operation);
  return place(one) - place(other);
}

export function renderBestOfLine(found: readonly BestOfLine[], options: LineOptions): string {
  const { roundTripMs, bitsPerSecond } = options;
  const head = [`${roundTripMs} ms, ${bitsPerSecond / 1e6} Mbit/s: curl`, 'share of the line'];
  const lines = found.map(({ connections, way, share }) => [
    `${way}, ${connections === 1 ? 'one connection' : `${connections} connections`}`,
    percent(share),
  ]);
  return renderRows(head, lines);
}

export function renderLarge(figures: readonly LargeFigure[]): string {
  const head = ['operation', 'wall s', 'CPU s', 'RSS MiB'];
  const lines = figures.map(({ operation, wallMs, cpuMs, rssMaxBytes }) => [
    operation,
    seconds(wallMs),
    seconds(cpuMs),
    mib(rssMaxBytes),
  ]);
  return renderRows(head, lines);
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

function renderRows(head: readonly string[], lines: readonly (readonly string[])[]): string {
  const rows = [head, head.map(() => '---'), ...lines];
  return rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const mib = (bytes: number): string => (bytes / MIB).toFixed(0);

function renderWorkload(
  workload: WorkloadName,
  timed: readonly Figure[],
  counted: readonly Figure[],
): string {
  const head = [
    'operation',
    'tool',
    'wall s',
    '(min–max)',
    '× ours',
    'CPU s',
    'RSS MiB',
    'stored MiB',
    'up MiB',
    'down MiB',
    'requests (put/get/head/list/delete)',
  ];
  const ofWorkload = (figure: Figure): boolean => figure.workload === workload;
  const rows = rowsOf(timed.filter(ofWorkload), counted.filter(ofWorkload));
  const lines = rows.map((row) => {
    const ours = rows.find((other) => other.tool === OURS && other.operation === row.operation);
    return [
      row.operation,
      row.tool,
      seconds(row.wallMs),
      row.wallSpread,
      ours === undefined || row === ours ? '–' : (row.wallMs / ours.wallMs).toFixed(2),
      seconds(row.cpuMs),
      mib(row.rssMaxBytes),
      (row.storedBytes / MIB).toFixed(1),
      ...trafficCells(row.traffic),
    ];
  });
  return [`### ${workload}`, '', renderRows(head, lines)].join('\n');
}

function rowsOf(timed: readonly Figure[], counted: readonly Figure[]): Row[] {
  const all = [...timed, ...counted];
  const tools = [...new Set(all.map((figure) => figure.tool))];
  return OPERATIONS.flatMap((operation) =>
    tools.flatMap((tool): Row[] => {
      const isOwn = (figure: Figure): boolean =>
        figure.tool === tool && figure.operation === operation;
      const traffic = counted.find(isOwn)?.traffic;
      const own = timed.filter(isOwn);
      const usable = own.length > 0 ? own : counted.filter(isOwn);
      if (usable.length === 0) return [];
      const walls = usable.map((figure) => figure.wallMs);
      return [
        {
          tool,
          operation,
          runs: usable.length,
          wallMs: median(walls),
          wallSpread: `${seconds(Math.min(...walls))}–${seconds(Math.max(...walls))}`,
          cpuMs: median(usable.map((figure) => figure.cpuMs)),
          // The bound is on the worst.
          rssMaxBytes: Math.max(...usable.map((figure) => figure.rssMaxBytes)),
          storedBytes: median(usable.map((figure) => figure.storedBytes)),
          traffic,
        },
      ];
    }),
  );
}

function trafficCells(traffic: Traffic | undefined): string[] {
  if (traffic === undefined) return ['', '', ''];
  const { put, get, head, list, delete: deleted } = traffic;
  return [
    (traffic.bytesUp / MIB).toFixed(2),
    (traffic.bytesDown / MIB).toFixed(2),
    `${put}/${get}/${head}/${list}/${deleted}`,
  ];
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}

const seconds = (ms: number): string => (ms / 1000).toFixed(2);
