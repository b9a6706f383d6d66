/** Revoking a machine: what will count and what will not is said before it is done. */
import { chooseMachine, countedUpTo, revokeMachine } from '../../maintenance/machines.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { countsStill } from '../../repository/revocations.ts';
import { chooseSnapshot } from '../../repository/snapshot-list.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import type { KnownWriter } from '../../repository/writers.ts';
import { confirm } from '../confirm.ts';
import type { RevokedShown } from '../output/members/machines-summary.ts';
import type { Reading } from '../looking/reading.ts';
import { stateOf } from '../places/repositories.ts';
import { rememberRevocations } from './revocations-seen.ts';
import { meantLocation, type Session } from '../session.ts';

export type RevokeWish = {
  readonly name: string;
  /** The last snapshot of it that counts, as typed; undefined: its newest. */
  readonly last: string | undefined;
};

export async function revoke(
  session: Session,
  reading: Pick<Reading, 'repository' | 'snapshots' | 'forgotten'>,
  { name, last: wanted }: RevokeWish,
): Promise<{ readonly revoked: RevokedShown; readonly reading: typeof reading }> {
  const { repository, snapshots, forgotten } = reading;
  const writer = chooseMachine(repository, name);
  const own = snapshots.filter((one) => one.writer === writer.id);
  // Nobody vouches for the newest, so of two with one number neither is thrown out for it.
  const counted =
    wanted === undefined
      ? own
      : countedUpTo(chooseSnapshot(own, wanted, undefined), own, forgotten.get(writer.id) ?? NONE);
  const shown = shownOf(writer, counted, own.length - counted.length);
  // The record of one that is only remembered is gone: it is stored again.
  if (writer.revoked?.digests) return { revoked: { ...shown, isNew: false }, reading };
  const location = meantLocation(session);
  const isThis = stateOf(session, location)?.writer.id === writer.id;
  session.output.plan({ verb: 'revoke', ...shown, isThis });
  await confirm(session, `Revoke ${writer.machine}?`);
  const named = counted.map(({ digest, cover }) => ({ digest, sequence: cover.sequence }));
  const revocation = await revokeMachine(repository, writer.id, named, session.signal);
  rememberRevocations(session, location, [revocation]);
  const counts = ({ writer: by, digest, cover: { sequence } }: OpenedCover): boolean =>
    by !== writer.id || countsStill(revocation, { sequence, digest });
  return {
    revoked: { ...shown, isNew: true },
    reading: {
      forgotten,
      repository: knowing(repository, { ...writer, revoked: revocation }),
      snapshots: snapshots.filter(counts),
    },
  };
}

const NONE: ReadonlySet<number> = new Set();

const newestOf = (own: readonly OpenedCover[]): OpenedCover | undefined =>
  own.toSorted((a, b) => a.cover.sequence - b.cover.sequence).at(-1);

function shownOf(
  { id, machine, since, revoked }: KnownWriter,
  counted: readonly OpenedCover[],
  leftAside: number,
): Omit<RevokedShown, 'isNew'> {
  const last = newestOf(counted);
  return {
    id,
    machine,
    since,
    before: revoked?.time ?? null,
    counts: counted.length,
    last: last ? { id: last.id, time: last.cover.time, install: last.cover.install } : null,
    leftAside,
  };
}

const knowing = (repository: ReaderRepository, writer: KnownWriter): ReaderRepository => ({
  ...repository,
  writers: new Map([...repository.writers, [writer.id, writer]]),
});
