/** undo: what the last pull replaced is put back; or what pulls keep aside is removed. */
import { flag, optionalArgument } from '../call.ts';
import { confirm } from '../confirm.ts';
import { landingSite, stampOf } from '../pull-install.ts';
import { journalsFolder } from '../../settings/places.ts';
import { discard, undo, type Undone } from '../../pull/undo.ts';
import { whileNoneRuns } from '../../pull/gateways-of.ts';
import type { Kept } from '../../pull/kept.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';
import type { UndoSummary } from '../output/summary-pull.ts';

export async function runUndo(call: Call, session: Session): Promise<Report> {
  const startedMs = session.clock.nowMs();
  session.settings.lock();
  const request = {
    journals: journalsFolder(session.places),
    install: installOf(optionalArgument(call, 0)),
    dryRun: flag(call, 'dryRun'),
    stamp: stampOf(startedMs),
  };
  const answer = flag(call, 'discard')
    ? discarded(await runDiscard(session, request))
    : undone(await runPutBack(session, request));
  const durationMs = Math.round(session.clock.nowMs() - startedMs);
  const rehearsal = request.dryRun && { dryRun: true as const };
  return { summary: { verb: 'undo', ...NOTHING, ...answer, ...rehearsal, durationMs } };
}

/** Installs are landed on this machine, whatever machine they are from. */
const installOf = (typed: string | undefined): string | undefined =>
  typed?.replace(/@.*$/, '').replace(/:default$/, '');

type Request = Parameters<typeof undo>[0];

function runPutBack(session: Session, request: Request): Promise<Undone> {
  const site = landingSite(session);
  return undo(request, {
    emit: session.emit,
    clock: session.clock,
    confirm: async (plan) => {
      session.output.plan({ verb: 'undo', ...plan });
      const what = plan.putBack.length === 0 ? '' : ', and put back what was here before';
      await confirm(session, `Move aside what was pulled${what}?`);
    },
    whileStopped: (journal, work) => whileNoneRuns(site, journal, session.signal, work),
  });
}

function runDiscard(session: Session, request: Request): Promise<readonly Kept[]> {
  return discard(request, {
    emit: session.emit,
    confirm: async (kept) => {
      session.output.plan({ verb: 'discard', kept });
      await confirm(
        session,
        'Remove it for good? What these pulls replaced cannot be put back then.',
      );
    },
  });
}

const NOTHING = {
  installs: [],
  since: null,
  putBack: [],
  pulled: [],
  discarded: [],
  lastPull: null,
  downtimeMs: 0,
} as const;

type Answer = Partial<Omit<UndoSummary, 'verb' | 'dryRun'>>;

function undone(answer: Undone): Answer {
  if (answer.plan === undefined) return { lastPull: answer.last ?? null };
  return { ...answer.plan, downtimeMs: answer.downtimeMs };
}

const discarded = (kept: readonly Kept[]): Answer => ({
  installs: kept.flatMap(({ installs }) => installs),
  since: kept[0]?.since ?? null,
  discarded: kept.flatMap(({ aside }) =>
    aside.map((one) => ({ path: one.aside, bytes: one.bytes })),
  ),
});
