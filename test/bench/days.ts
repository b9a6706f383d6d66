/**
 * Days of use: one push a day, and once a week what the keep rules do not keep is forgotten and its space freed.
 *
 * How each tool is made to see the days: ours asks the store for its time, so everything stored is made a day older
 * once a day (the server shows the times of its files; moving its Date instead would have the clients sign for
 * another day). The peers ask the clock of their machine: their pushes are told the time, restic's prune looks at no
 * time at all, and rustic's is told that what it marked a week ago is old enough.
 */
import { mkdirSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import {
  enter,
  filesBelow,
  perform,
  prepare,
  rotated,
  sizeOf,
  type Arena,
  type Contestant,
  type Cost,
} from './contestants.ts';
import type { Traffic } from './counting-proxy.ts';
import type { Tool } from './tools.ts';
import { makeWorkload, type Workload } from './workloads.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const WEEK_DAYS = 7;
/** The grace period of our prune; it takes two of them until what is not needed any more is gone. */
const GRACE_DAYS = 14;

export type DaysPlay = Arena & {
  readonly tools: readonly Tool[];
  readonly days: number;
  readonly seed: number;
  readonly scale: number;
};

/** What all days together took. */
export type DaysFigure = {
  readonly tool: string;
  readonly push: Cost;
  /** Forget and prune. */
  readonly tidy: Cost;
  readonly tidied: number;
  /** Of objects that were deleted. */
  readonly deletedBytes: number;
  readonly endBytes: number;
  /** When everything that was not needed at the end is gone, with no push after it. */
  readonly settledBytes: number;
  /** Of all that is stored then: what is kept must still be whole. */
  readonly check: Cost;
};

type Sums = { push: Cost; tidy: Cost; tidied: number; deletedBytes: number };

export async function playDays(play: DaysPlay): Promise<DaysFigure[]> {
  const { folder, seed, scale, days } = play;
  mkdirSync(folder, { recursive: true });
  const workload = makeWorkload('gateway', { home: join(folder, 'home'), seed, scale });
  const players = play.tools.map((tool) => ({ who: enter(play, tool), sums: noSums() }));
  const startMs = Date.now();
  for (const { who } of players) await prepare(who, workload, folder);
  for (let day = 0; day <= days; day += 1) {
    const at = new Date(startMs - (days - day) * DAY_MS);
    if (day > 0)
      passDays(
        workload,
        players.map(({ who }) => who),
        1,
      );
    for (const { who, sums } of rotated(players, day)) await push(play, who, workload, at, sums);
    const isTidied = day > 0 && (day % WEEK_DAYS === 0 || day === days);
    for (const { who, sums } of isTidied ? rotated(players, day) : []) await tidy(play, who, sums);
    play.say(`day ${day}: ${players.map(({ who }) => sizeText(who)).join(', ')}`);
  }
  const figures: DaysFigure[] = [];
  for (const { who, sums } of players) figures.push(await settle(play, who, sums));
  rmSync(folder, { recursive: true, force: true });
  return figures;
}

/** The tree has changed, and the stores are older. */
function passDays(workload: Workload, all: readonly Contestant[], days: number): void {
  workload.passDay?.();
  for (const { storedIn } of all) age(storedIn, days);
}

/** Everything below a folder is so many days older. */
export function age(folder: string, days: number): void {
  for (const path of filesBelow(folder).keys()) {
    const { atimeMs, mtimeMs } = statSync(path);
    utimesSync(path, atimeMs / 1000, (mtimeMs - days * DAY_MS) / 1000);
  }
}

async function push(
  play: DaysPlay,
  { tool, machine, target }: Contestant,
  workload: Workload,
  at: Date,
  sums: Sums,
): Promise<void> {
  const cost = await perform(play, tool.push(machine, target, workload, at));
  sums.push = together(sums.push, cost);
}

async function tidy(play: DaysPlay, who: Contestant, sums: Sums): Promise<void> {
  const before = filesBelow(who.storedIn);
  for (const command of who.tool.tidy?.(who.machine, who.target) ?? []) {
    sums.tidy = together(sums.tidy, await perform(play, command));
  }
  const after = filesBelow(who.storedIn);
  for (const [path, size] of before) if (!after.has(path)) sums.deletedBytes += size;
  sums.tidied += 1;
}

async function settle(play: DaysPlay, who: Contestant, sums: Sums): Promise<DaysFigure> {
  const endBytes = sizeOf(who.storedIn);
  for (let run = 0; run < 2; run += 1) {
    age(who.storedIn, GRACE_DAYS);
    await tidy(play, who, noSums());
  }
  const settledBytes = sizeOf(who.storedIn);
  const check = await perform(play, who.tool.checkData(who.machine, who.target));
  return { tool: who.tool.name, ...sums, endBytes, settledBytes, check };
}

const noCost = (): Cost => ({ wallMs: 0, cpuMs: 0, rssMaxBytes: 0 });
const noSums = (): Sums => ({ push: noCost(), tidy: noCost(), tidied: 0, deletedBytes: 0 });

function together(one: Cost, other: Cost): Cost {
  const traffic = sumOf(one.traffic, other.traffic);
  return {
    wallMs: one.wallMs + other.wallMs,
    cpuMs: one.cpuMs + other.cpuMs,
    rssMaxBytes: Math.max(one.rssMaxBytes, other.rssMaxBytes),
    ...(traffic === undefined ? {} : { traffic }),
  };
}

function sumOf(one: Traffic | undefined, other: Traffic | undefined): Traffic | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return {
    put: one.put + other.put,
    get: one.get + other.get,
    head: one.head + other.head,
    list: one.list + other.list,
    delete: one.delete + other.delete,
    bytesUp: one.bytesUp + other.bytesUp,
    bytesDown: one.bytesDown + other.bytesDown,
  };
}

const sizeText = ({ tool, storedIn }: Contestant): string =>
  `${tool.name} ${(sizeOf(storedIn) / 2 ** 20).toFixed(0)} MiB`;
