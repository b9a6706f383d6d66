/** undo: what the last pull replaced is put back; or what pulls keep aside is removed. */
import { flag, optionalArgument } from '../call.ts';
import { confirm } from '../confirm.ts';
import { forgetLanded } from '../pull/landed.ts';
import { landingSite, stampOf } from '../pull/pull-install.ts';
import { journalsFolder } from '../../settings/places.ts';
import type { Kept } from '../../pull/undo/kept.ts';
import { discard, undo, type UndoPlan, type Undone } from '../../pull/undo/undo.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';
import type { UndoSummary } from '../output/pull/summary.ts';

export async function runUndo(call: Call, session: Session): Promise<Report> {
  const startedMs = session.clock.nowMs();
  session.settings.lock();
  const request = {
    site: landingSite(session),
    journals: journalsFolder(session.places),
    install: installOf(optionalArgument(call, 0)),
    dryRun: flag(call, 'dryRun'),
    stamp: stampOf(startedMs),
  };
  const answer = flag(call, 'discard')
    ? discarded(await runDiscard(session, request))
    : undone(await runPutBack(session, request));
  if (!request.dryRun) forgetPull(session, answer);
  const durationMs = Math.round(session.clock.nowMs() - startedMs);
  const rehearsal = request.dryRun && { dryRun: true as const };
  return { summary: { verb: 'undo', ...NOTHING, ...answer, ...rehearsal, durationMs } };
}

/** What was found after a pull that is undone says nothing of what is here now, nor under what key it is pushed. */
function forgetPull({ settings }: Session, { pulled = [], installs = [] }: Answer): void {
  if (pulled.length > 0) for (const { install } of installs) forgetLanded(settings, install);
  const last = settings.data.lastPull;
  if (!last || pulled.length === 0) return;
  const isUndone = installs.some(
    ({ install, snapshot }) => install === last.install && snapshot === last.snapshot,
  );
  if (isUndone) settings.update((data) => ({ ...data, lastPull: undefined }));
}

/** Installs are landed on this machine, whatever machine they are from. */
const installOf = (typed: string | undefined): string | undefined =>
  typed?.replace(/@.*$/, '').replace(/:default$/, '');

type Request = Parameters<typeof undo>[0];

function runPutBack(session: Session, request: Request): Promise<Undone> {
  const { emit, clock, signal, output } = session;
  const agreed = async (plan: UndoPlan): Promise<void> => {
    output.plan({ verb: 'undo', ...plan });
    const what = plan.putBack.length === 0 ? '' : ', and put back what was here before';
    await confirm(session, `Move aside what was pulled${what}?`);
  };
  return undo(request, { emit, clock, confirm: agreed }, signal);
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
  const { installs, since, putBack, pulled } = answer.plan;
  return { installs, since, putBack, pulled, downtimeMs: answer.downtimeMs };
}

const discarded = (kept: readonly Kept[]): Answer => ({
  installs: kept.flatMap(({ installs }) => installs),
  since: kept[0]?.since ?? null,
  discarded: kept.flatMap(({ aside }) =>
    aside.map((one) => ({ path: one.aside, bytes: one.bytes })),
  ),
});
