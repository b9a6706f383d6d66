/** pull --into: what is there already is overwritten only by somebody who said so. */
import { resolve } from 'node:path';
import { countInto, planInto, pullInto, type PulledInto } from '../../pull/into.ts';
import type { PackSource } from '../../repository/open.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { beginInto, occupiedIn } from '../../settings/into-folder.ts';
import { confirm } from '../confirm.ts';
import { restoreDeps } from './pull-install.ts';
import type { Session } from '../session.ts';

export type IntoWishes = {
  /** As typed. */
  readonly into: string;
  readonly only: readonly string[];
  readonly dryRun: boolean;
};

export async function pullBelow(
  session: Session,
  repository: PackSource,
  snapshot: SnapshotReader,
  { into, only, dryRun }: IntoWishes,
): Promise<PulledInto> {
  const { environment, signal } = session;
  const directory = resolve(environment.workingFolder, into);
  const plan = await planInto({ snapshot, directory, only }, signal);
  if (dryRun) {
    return { ...(await countInto(plan, signal)), bytesFetched: 0, problems: [], packsLost: [] };
  }
  const { id } = snapshot.cover;
  const names = plan.targets.map(({ root }) => root.name);
  const occupied = occupiedIn(directory, names, id);
  if (occupied.length > 0) {
    await confirm(
      session,
      `${occupied.join(' and ')} holds files; overwrite those that the snapshot has too?`,
    );
  }
  const done = beginInto(directory, id, environment);
  const owner = environment.actsForOther ? environment.owner : undefined;
  const pulled = await pullInto(plan, owner, restoreDeps(session, repository), signal);
  done();
  return pulled;
}
