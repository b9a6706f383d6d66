/** pull --into: what is there already is overwritten only by somebody who said so. */
import { resolve } from 'node:path';
import { FerryError } from '../../base/errors.ts';
import { planInto, pullInto, type PulledInto } from '../../pull/into.ts';
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
  if (dryRun) {
    const planned = await planInto({ snapshot, directory, only }, signal);
    refuseNothing(planned.files, only);
    return { ...planned, bytesFetched: 0, problems: [], packsLost: [] };
  }
  const { id } = snapshot.cover;
  const names = snapshot.body.roots.map(({ name }) => name);
  const occupied = occupiedIn(directory, names, id);
  if (occupied.length > 0) {
    await confirm(
      session,
      `${occupied.join(' and ')} holds files; overwrite those that the snapshot has too?`,
    );
  }
  const done = beginInto(directory, id, environment);
  const owner = environment.actsForOther ? environment.owner : undefined;
  const request = { snapshot, directory, only, owner };
  const pulled = await pullInto(request, restoreDeps(session, repository), signal);
  done();
  refuseNothing(pulled.files, only);
  return pulled;
}

/** A pattern that chose nothing was mistyped: an empty folder is no answer to it. */
function refuseNothing(files: number, only: readonly string[]): void {
  if (files > 0 || only.length === 0) return;
  throw new FerryError(
    'path-not-found',
    `no file of the snapshot matches --only ${only.join(' ')}`,
    {
      hint: "Paths begin with the name of a root, as in 'state/agents/main/**': stateferry ls SNAPSHOT --recursive",
    },
  );
}
