/**
 * When a job is due, and when it is overdue. The timer fires every hour and asks here, so what was missed (asleep,
 * switched off, no network) is made up for within an hour, and a timer that fires twice finds nothing to do.
 */
import { DAY_MS, HOUR_MS } from '../base/durations.ts';
import type { Every, Job, Schedule, Went } from './record.ts';

export const PERIOD_MS: Readonly<Record<Every, number>> = {
  daily: DAY_MS,
  weekly: 7 * DAY_MS,
  monthly: 30 * DAY_MS,
};

/** Less than the period: a run that began a little late must not move the next one by a whole day. */
const WAIT_MS: Readonly<Record<Every, number>> = {
  daily: 0,
  weekly: PERIOD_MS.weekly - DAY_MS / 2,
  monthly: PERIOD_MS.monthly - DAY_MS / 2,
};

/** One period missed and a good part of the next: a weekend switched off is no alarm on Sunday. */
const OVERDUE_MS: Readonly<Record<Every, number>> = {
  daily: 2 * DAY_MS + 2 * HOUR_MS,
  weekly: 9 * DAY_MS,
  monthly: 35 * DAY_MS,
};

/** The time of day that was last passed, by this machine's time zone. */
export function lastTime(at: string, nowMs: number): number {
  const [hour = 0, minute = 0] = at.split(':').map(Number);
  const onDay = (daysBack: number): number => {
    const date = new Date(nowMs);
    date.setDate(date.getDate() - daysBack);
    date.setHours(hour, minute, 0, 0);
    return date.getTime();
  };
  const today = onDay(0);
  return today <= nowMs ? today : onDay(1);
}

export type DueQuestion = {
  readonly schedule: Pick<Schedule, 'at' | 'installed' | 'went'>;
  readonly nowMs: number;
};

/** A failed push is tried again at the next hour; what costs more, at the next time of day. */
export function isDue({ job, every }: Job, { schedule, nowMs }: DueQuestion): boolean {
  const time = lastTime(schedule.at, nowMs);
  const went = schedule.went[job] ?? {};
  const failedMs = pastMs(went.failed, nowMs);
  if (failedMs !== undefined && job !== 'push' && failedMs >= time) return false;
  const okMs = pastMs(went.ok, nowMs);
  if (okMs !== undefined) return time > okMs + WAIT_MS[every];
  return time > (pastMs(schedule.installed, nowMs) ?? -Infinity) || failedMs !== undefined;
}

/** The next time of day at which it will be due; now where it is. */
export function nextDue(job: Job, question: DueQuestion): number {
  const { schedule, nowMs } = question;
  if (isDue(job, question)) return nowMs;
  let time = lastTime(schedule.at, nowMs);
  for (let days = 0; days < 40; days++) {
    // A day and a bit on: the clock change moves the time of day by an hour.
    time = lastTime(schedule.at, time + DAY_MS + 2 * HOUR_MS);
    if (isDue(job, { schedule, nowMs: time })) break;
  }
  return time;
}

/** The last good run is too long ago for what was promised. */
export function isOverdue({ job, every }: Job, { schedule, nowMs }: DueQuestion): boolean {
  const went = schedule.went[job];
  const sinceMs = pastMs(went?.ok ?? schedule.installed, nowMs);
  return sinceMs === undefined || nowMs - sinceMs > OVERDUE_MS[every];
}

/** Nothing was even tried for longer than the most frequent job leaves time for: the timer is not firing. */
export function isSilent({
  schedule,
  nowMs,
}: DueQuestion & { readonly schedule: Pick<Schedule, 'jobs'> }): boolean {
  const times = Object.values(schedule.went).flatMap((one) => [one.ok, one.failed]);
  const newest = [schedule.installed, ...times]
    .map((time) => pastMs(time, nowMs))
    .reduce((a = -Infinity, b = -Infinity) => Math.max(a, b), undefined);
  const periodMs = Math.min(...schedule.jobs.map(({ every }) => PERIOD_MS[every]));
  return newest === undefined || nowMs - newest > periodMs + 3 * HOUR_MS;
}

/** A time that has not come yet was written under a clock that was wrong, and says nothing. */
function pastMs(time: string | undefined, nowMs: number): number | undefined {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return ms <= nowMs ? ms : undefined;
}

/** Failures that last are told once a day, not every hour. */
export function isToTell(before: Went, code: string | undefined, nowMs: number): boolean {
  const toldMs = pastMs(before.told, nowMs);
  return toldMs === undefined || before.code !== code || nowMs - toldMs >= DAY_MS - HOUR_MS;
}
