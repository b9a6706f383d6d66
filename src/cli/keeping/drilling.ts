/** A drill on this machine: where its sandbox lies, and what came of it as the fields that stay. */
import { resolve } from 'node:path';
import { drill, type Drilled } from '../../drill/drill.ts';
import { removeLeftSandboxes } from '../../fs/sandbox-folder.ts';
import { timeText } from '../../repository/objects.ts';
import { openSnapshot } from '../../repository/snapshot-reader.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import type { DrillSummary } from '../output/keeping/drill-summary.ts';
import type { Cost } from '../output/summary-parts.ts';
import { landingSite, restoreDeps, stampOf } from '../pull/pull-install.ts';
import type { Reading } from '../looking/reading.ts';
import type { Session } from '../session.ts';

export type DrillWishes = {
  readonly folder: string | undefined;
  readonly keep: boolean;
  /** Nobody has named another one. */
  readonly isNewestMeant: boolean;
};

export type DrillAnswer = Omit<
  DrillSummary,
  keyof Cost | 'verb' | 'repository' | 'missing' | 'report' | 'record' | 'recordProblem'
>;

export async function drillHere(
  session: Session,
  { repository, unreadable }: Reading,
  cover: OpenedCover,
  { folder: typed, keep, isNewestMeant }: DrillWishes,
): Promise<DrillAnswer> {
  const { emit, signal, environment } = session;
  const folder = resolve(environment.workingFolder, typed ?? temporaryFolder(session));
  removeLeft(session, folder);
  const drilled = await drill(
    {
      cover,
      open: () => openSnapshot(repository, cover, emit, signal),
      site: landingSite(session),
      folder,
      keep,
      stamp: stampOf(session.clock.nowMs()),
    },
    restoreDeps(session, repository),
    signal,
  );
  const time = timeText(await repository.store.dateMs(signal));
  const ofMachine = unreadable.filter((name) => name.startsWith(`snapshots/${cover.writer}/`));
  return answerOf(isNewestMeant ? withUnreadable(drilled, ofMachine) : drilled, time);
}

/** Which of them is the newest nobody can know: what was drilled may be an older one than everybody believes. */
function withUnreadable(drilled: Drilled, names: readonly string[]): Drilled {
  if (names.length === 0) return drilled;
  const found = `cannot be read: ${names.join(', ')}`;
  const line = { check: 'all snapshots of that machine', critical: true, expected: 'readable' };
  return {
    ...drilled,
    ok: false,
    checklist: [...drilled.checklist, { ...line, ok: false, found }],
  };
}

const temporaryFolder = ({ environment }: Session): string =>
  environment.variables['TMPDIR'] ?? '/tmp';

function removeLeft({ environment, emit }: Session, folder: string): void {
  const own = process.geteuid?.() ?? 0;
  for (const path of removeLeftSandboxes(folder, [own, environment.owner.uid])) {
    const message = `${path} was left over from a drill that was killed, and is removed now`;
    emit({ type: 'notice', code: 'drill-left', message });
  }
}

function answerOf(
  { cover: { id, machine, cover }, ...drilled }: Drilled,
  time: string,
): DrillAnswer {
  const { ok, kept, checklist, ...rest } = drilled;
  return {
    snapshot: id,
    sequence: cover.sequence,
    pushed: cover.time,
    install: cover.install,
    machine,
    time,
    passed: ok,
    checklist: checklist.map(({ check, ok: isOk, expected, found }) => ({
      check,
      ok: isOk,
      expected,
      found,
    })),
    ...rest,
    kept: kept ?? null,
  };
}
