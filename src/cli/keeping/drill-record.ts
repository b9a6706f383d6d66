/** The signed record of a drill: proof for others, and a witness to what the repository showed. */
import { FerryError, type ErrorCode } from '../../base/errors.ts';
import type { DrillRecordBody, SeenSnapshot } from '../../format/drill-record.ts';
import { DRILL_RECORD_LIMITS } from '../../format/drill-record.ts';
import { makeDrillRecord } from '../../repository/drill-records.ts';
import { writerOf } from '../../repository/machine.ts';
import { writeFresh } from '../../repository/objects.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import { printLocation, type Location } from '../../store/location.ts';
import type { DrillAnswer } from './drilling.ts';
import type { DrillSummary } from '../output/keeping/drill-summary.ts';
import type { Reading } from '../looking/reading.ts';
import { stateOf } from '../places/repositories.ts';
import type { Session } from '../session.ts';

export type StoredRecord = Pick<DrillSummary, 'record' | 'recordProblem'> & {
  /** 0, unless it should be there and is not. */
  readonly exit: number;
};

/** That the record cannot be stored takes nothing from what the drill found out: it is said, and in the exit status. */
export async function storeDrillRecord(
  session: Session,
  location: Location,
  { repository, snapshots }: Pick<Reading, 'repository' | 'snapshots'>,
  cover: OpenedCover,
  drilled: DrillAnswer,
): Promise<StoredRecord> {
  const state = stateOf(session, location);
  if (!state) {
    const join = `stateferry join '${printLocation(location)}'`;
    return none(`this machine has not joined it, and has no key to sign with (${join})`);
  }
  const writer = writerOf(state);
  if (!repository.writers.has(writer.id)) return none('this machine has no valid record there');
  if (repository.writers.get(writer.id)?.revoked) return none('this machine was revoked');
  const body = { ...told(drilled), tool: session.tool, snapshot: seenOf(cover) };
  const whole = { ...body, seen: newestOfEach(snapshots) };
  const record = makeDrillRecord(repository.id, writer, whole, session.random);
  try {
    await writeFresh(repository.store, record.name, record.bytes, session.signal);
    return { record: record.name, recordProblem: null, exit: 0 };
  } catch (error) {
    if (!(error instanceof FerryError) || !OF_THE_STORE.has(error.code)) throw error;
    return { ...none(error.message), exit: error.exit };
  }
}

const OF_THE_STORE = new Set<ErrorCode>([
  'store-denied',
  'store-unreachable',
  'store-busy',
  'store-refused',
  'no-space',
]);

const none = (recordProblem: string): StoredRecord => ({ record: null, recordProblem, exit: 0 });

/** A hostile snapshot may give names of any length and number to what is checked. */
function told(drilled: DrillAnswer): Omit<DrillRecordBody, 'tool' | 'snapshot' | 'seen'> {
  const { checksMax, textCharsMax } = DRILL_RECORD_LIMITS;
  const short = (text: string): string => text.slice(0, textCharsMax);
  const { doctor, checklist, time, install, machine, passed } = drilled;
  const { files, bytes, bytesFetched, restoreMs, productMs } = drilled;
  return {
    time,
    install,
    machine,
    passed,
    doctor: { ran: doctor.ran, version: doctor.version },
    files,
    bytes,
    bytesFetched,
    restoreMs,
    productMs,
    checks: checklist.slice(0, checksMax).map(({ check, ok, expected, found }) => ({
      check: short(check),
      ok,
      expected: short(expected),
      found: short(found),
    })),
  };
}

function newestOfEach(snapshots: readonly OpenedCover[]): SeenSnapshot[] {
  const newest = new Map<string, OpenedCover>();
  for (const one of snapshots) {
    const known = newest.get(one.writer)?.cover.sequence ?? 0;
    if (one.cover.sequence > known) newest.set(one.writer, one);
  }
  return [...newest.values()].slice(0, DRILL_RECORD_LIMITS.seenMax).map(seenOf);
}

const seenOf = ({ writer, id, digest, cover }: OpenedCover): SeenSnapshot => ({
  writer,
  sequence: cover.sequence,
  snapshot: id,
  digest,
  time: cover.time,
});
