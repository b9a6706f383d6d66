/**
 * Has anything arrived from the other machines? The times are the store's own, of its listing: that needs no secret,
 * only the right to list.
 */
import { DAY_MS } from '../../base/durations.ts';
import { parseWriterObjectName, type WriterId } from '../../format/names.ts';
import { pinnedHalves } from '../../repository/machine.ts';
import { timeText } from '../../repository/objects.ts';
import { readRepositoryId } from '../../repository/open.ts';
import { readRevocations } from '../../repository/revocations.ts';
import { parseLocation, printLocation, type Location } from '../../store/location.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { stateOf, storeAt } from '../places/repositories.ts';
import { sessionWithin, type Session } from '../session.ts';
import type { JobPlaces, Outcome } from './jobs.ts';

export async function watchOthers(
  outer: Session,
  { repositories, watchMs }: JobPlaces,
): Promise<Outcome> {
  const session = sessionWithin(outer, outer.options);
  const late: string[] = [];
  try {
    for (const one of repositories) {
      const location = parseLocation(one, session.environment.workingFolder);
      late.push(...(await lateIn(session, location, watchMs ?? 3 * DAY_MS)));
    }
  } finally {
    await session.close();
  }
  if (late.length === 0) return { exit: 0 };
  return { exit: OVERDUE_EXIT, code: 'overdue', message: late.join('; ') };
}

const OVERDUE_EXIT = 24;

async function lateIn(session: Session, location: Location, watchMs: number): Promise<string[]> {
  const store = await storeAt(session, location);
  await readRepositoryId(store, session.signal);
  const nowMs = await store.dateMs(session.signal);
  const newest = await newestOfOthers(session, location, store);
  const place = printLocation(location);
  if (newest.size === 0) return [`nothing of any other machine is in ${place}`];
  return [...newest]
    .filter(([, ms]) => nowMs - ms > watchMs)
    .map(([writer, ms]) => {
      const days = Math.floor((nowMs - ms) / DAY_MS);
      const last = timeText(ms);
      return `nothing has arrived from the machine ${writer.slice(0, 8)} in ${place} for ${days} days (last ${last})`;
    });
}

/** Of machines that may still write, as far as this one can tell. */
async function newestOfOthers(
  session: Session,
  location: Location,
  store: ObjectStore,
): Promise<Map<WriterId, number>> {
  const state = stateOf(session, location);
  const newest = new Map<WriterId, number>();
  for await (const { name, modifiedMs } of store.list('snapshots/', session.signal)) {
    const writer = parseWriterObjectName(name)?.writer;
    if (writer === undefined || writer === state?.writer.id) continue;
    newest.set(writer, Math.max(newest.get(writer) ?? 0, modifiedMs));
  }
  if (state) {
    const root = pinnedHalves(state).root;
    const { revoked } = await readRevocations(store, state.repository, root, session.signal);
    for (const writer of revoked.keys()) newest.delete(writer);
  }
  return newest;
}
