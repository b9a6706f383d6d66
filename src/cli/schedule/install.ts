/** `schedule install`: plan, yes, one run in the timer's own environment, and only then a timer. */
import { FerryError } from '../../base/errors.ts';
import { timeText } from '../../repository/objects.ts';
import { chooseScheduler, planFor } from '../../schedule/choose.ts';
import { installTimer, removeTimer } from '../../schedule/install-timer.ts';
import { waysOfTelling } from '../../schedule/notice.ts';
import type { Schedule } from '../../schedule/record.ts';
import type { Timer, TimerPlan } from '../../schedule/timer.ts';
import { timerEnvironment } from '../../settings/timer-environment.ts';
import { printLocation, type Location } from '../../store/location.ts';
import { flag } from '../call.ts';
import { confirm } from '../confirm.ts';
import type { SchedulePlan } from '../output/schedule/summary.ts';
import { stateOf } from '../places/repositories.ts';
import { meantLocations, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';
import { sayLingering } from './linger.ts';
import { beginProof, endProof, judgeProof, type Judged } from './proof.ts';
import { readerKeyFor } from './reader.ts';
import { isRoot, isSameScheduler, newTimer, requireOwn, timerDeps, timerWith } from './timer.ts';
import { tellInstalled } from './telling.ts';
import { scheduleWish, type ScheduleWish } from './wish.ts';

export async function installSchedule(call: Call, session: Session): Promise<Report> {
  requireOwn(session, session.settings.data.schedule);
  const wish = scheduleWish(call, session.environment.workingFolder);
  const locations = meantLocations(session);
  requireJoined(session, locations, wish);
  const readerKeyFile = await readerKeyFor(session, locations, wish.jobs);
  const timer = newTimer(session, wish.at);
  const request = {
    wanted: wish.scheduler,
    platform: process.platform,
    isRoot: isRoot(session),
  };
  const scheduler = await chooseScheduler(request, timer, timerDeps(session), session.signal);
  const plan = planFor(timer, scheduler);
  const repositories = locations.map(printLocation);
  const shown = shownPlan(session, wish, repositories, plan);
  if (flag(call, 'dryRun'))
    return { summary: { ...ANSWER, planOnly: true, proved: null, ...shown } };
  session.output.plan({ verb: 'schedule', ...shown });
  await confirm(session, 'Install it, after one run in the environment that the timer will have?');
  const proved = await perform(session, timer, plan, {
    scheduler,
    at: wish.at,
    command: [...timer.command],
    files: plan.files.map(({ path }) => path),
    repositories,
    ...(readerKeyFile !== undefined && { readerKeyFile }),
    jobs: [...wish.jobs],
    ...(wish.watchMs !== undefined && { watchMs: wish.watchMs }),
    notify: wish.notify,
  });
  const { schedule } = session.settings.data;
  if (schedule) await tellInstalled(session, schedule);
  await sayLingering(session, scheduler);
  return { summary: { ...ANSWER, planOnly: false, proved, ...shown } };
}

const ANSWER = { verb: 'schedule', action: 'install' } as const;

/** Only what pushes needs to be let in; who has a reader key reads all the same. */
function requireJoined(session: Session, locations: readonly Location[], wish: ScheduleWish): void {
  if (!wish.jobs.some(({ job }) => job === 'push')) return;
  for (const location of locations) {
    if (stateOf(session, location)) continue;
    const known = printLocation(location);
    throw new FerryError('not-joined', `this machine has not joined the repository in ${known}`, {
      hint: `stateferry join '${known}' (or init, when there is none yet)`,
    });
  }
}

async function perform(
  session: Session,
  timer: Timer,
  plan: TimerPlan,
  wished: Omit<Schedule, 'installed' | 'went'>,
): Promise<Judged> {
  const { settings, signal } = session;
  const deps = timerDeps(session);
  const before = settings.data.schedule;
  const expected = await beginProof(session, wished);
  let judged: Judged | undefined;
  try {
    await installTimer(
      timer,
      plan,
      {
        judge: (ran) => {
          judged = judgeProof(session, ran, expected);
        },
        record: () => keep(session, scheduleOf(wished, before, judged, nowText(session))),
        forget: () => keep(session, before),
      },
      deps,
      signal,
    );
  } finally {
    endProof(session);
  }
  if (before && !isSameScheduler(before.scheduler, wished.scheduler)) {
    const old = timerWith(session, before.at, before.command);
    await removeTimer(old, planFor(old, before.scheduler), deps, signal);
  }
  return judged ?? { push: false, installs: [] };
}

/** The run that proved it counts; so does what other jobs did under an older schedule. */
function scheduleOf(
  wished: Omit<Schedule, 'installed' | 'went'>,
  before: Schedule | undefined,
  judged: Judged | undefined,
  now: string,
): Schedule {
  const kept = wished.jobs.flatMap(({ job }) => {
    const went = job === 'push' && judged?.push === true ? { ok: now } : before?.went[job];
    return went === undefined ? [] : [[job, went] as const];
  });
  return { ...wished, installed: now, went: Object.fromEntries(kept) };
}

function keep({ settings }: Session, schedule: Schedule | undefined): void {
  settings.update((data) => {
    const { schedule: _, ...others } = data;
    return schedule ? { ...others, schedule } : others;
  });
}

const nowText = ({ clock }: Session): string => timeText(clock.nowMs());

function shownPlan(
  session: Session,
  { at, jobs, notify }: ScheduleWish,
  repositories: readonly string[],
  plan: TimerPlan,
): SchedulePlan {
  const { kind, scope } = plan.scheduler;
  const proof = plan.prove.by === 'service' ? plan.prove.start : plan.prove.command;
  return {
    scheduler: `${kind} (${scope})`,
    at,
    repositories,
    jobs,
    files: plan.files,
    crontab: plan.crontab ?? null,
    commands: [...plan.reload, proof, ...plan.enable].map((words) => words.join(' ')),
    tells: waysOfTelling(notify),
    leftBehind: timerEnvironment(session.environment).leftBehind,
  };
}
