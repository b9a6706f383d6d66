/**
 * pull of snapshots that may not be whole: what is gone is found out and named before anything is placed, and the
 * newest whole one is offered in its place. It is never taken without a word of a person, since what was done after it
 * would be missing.
 */
import { FerryError, isObjectFault, type ErrorCode } from '../../base/errors.ts';
import type { Damage } from '../../pull/plan/landing.ts';
import { findLoss, firstWhole, PackPresence, type Loss } from '../../pull/plan/loss.ts';
import type { Pulled } from '../../pull/pull.ts';
import { openSnapshot, type SnapshotReader } from '../../repository/snapshot-reader.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';
import { optionalArgument } from '../call.ts';
import { commandAgain } from './command-again.ts';
import { isYes } from '../confirm.ts';
import { bytesText, countText, shortId, timeText } from '../output/text/words.ts';
import type { Reading } from '../looking/reading.ts';
import type { Session } from '../session.ts';
import type { Call } from '../verb.ts';

export type Pulling = {
  readonly session: Session;
  readonly call: Call;
  readonly reading: Reading;
  /** Pulls these; tells what it found damaged before it throws. */
  perform(
    snapshots: readonly SnapshotReader[],
    onDamage: (damage: Damage) => void,
  ): Promise<Pulled[]>;
};

export async function pullWhole(
  pulling: Pulling,
  chosen: readonly SnapshotReader[],
): Promise<Pulled[]> {
  await guardNewest(pulling, chosen);
  const offers = new Offers(pulling);
  let meant: readonly SnapshotReader[] = chosen;
  for (;;) {
    meant = await offers.allWhole(meant);
    let damage: Damage | undefined;
    try {
      return await pulling.perform(meant, (found) => {
        damage = found;
      });
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      const broken = damage?.snapshot ?? (meant.length === 1 ? meant[0] : undefined);
      if (!broken) throw error;
      const packs = damage?.packs ?? [String(error.details['object'] ?? '')];
      const { code, message: why } = error;
      const message = damage ? why : `${notWholeText(broken.cover)}: ${why}`;
      const other = await offers.insteadOf(broken, packs, { code, message });
      meant = meant.map((snapshot) => (snapshot === broken ? other : snapshot));
    }
  }
}

/** The newest that can be read may not be the newest: a snapshot that is damaged itself tells nothing of its time. */
async function guardNewest(
  { session, call, reading }: Pulling,
  chosen: readonly SnapshotReader[],
): Promise<void> {
  const wanted = optionalArgument(call, 0) ?? 'latest';
  if (!wanted.startsWith('latest')) return;
  for (const { cover } of chosen) {
    const doubtful = reading.unreadable.find((name) =>
      name.startsWith(`snapshots/${cover.writer}/`),
    );
    if (doubtful === undefined || isLastOfRevoked(reading, cover)) continue;
    const message = `${doubtful} cannot be read, and may be newer than what can`;
    if (await isAgreed(session, message, whichOf(cover))) continue;
    throw notWhole({ code: 'object-damaged', message }, takeHint(cover, call));
  }
}

/** What a revoked machine has put there since is no newer one, whatever it is. */
function isLastOfRevoked({ repository, snapshots }: Reading, { writer }: OpenedCover): boolean {
  const last = repository.writers.get(writer)?.revoked?.last;
  return last !== undefined && snapshots.some(({ digest }) => digest === last.digest);
}

/** What there is instead of snapshots that are not whole. */
class Offers {
  readonly #pulling: Pulling;
  readonly #presence: PackPresence;
  readonly #broken = new Set<string>();
  readonly #damaged = new Set<string>();

  constructor(pulling: Pulling) {
    this.#pulling = pulling;
    this.#presence = new PackPresence(pulling.reading.repository.store);
  }

  /** Each of them, if all of it is there; else the one that is taken in its place. */
  async allWhole(snapshots: readonly SnapshotReader[]): Promise<SnapshotReader[]> {
    const whole: SnapshotReader[] = [];
    for (const snapshot of snapshots) whole.push(await this.#whole(snapshot));
    return whole;
  }

  async #whole(snapshot: SnapshotReader): Promise<SnapshotReader> {
    const { session, reading } = this.#pulling;
    const { repository } = reading;
    const loss = await findLoss(repository, this.#presence, snapshot, session.signal);
    if (!loss) return snapshot;
    sayLoss(session, loss);
    const message = `${notWholeText(snapshot.cover)}: ${lossText(loss)}`;
    return this.insteadOf(snapshot, loss.packs, { code: codeOf(loss), message });
  }

  /**
   * The newest whole snapshot of the same install, if a person says so.
   * @throws the failure, with the command that takes it
   */
  async insteadOf(
    { cover: broken }: SnapshotReader,
    packs: readonly string[],
    failure: { readonly code: ErrorCode; readonly message: string },
  ): Promise<SnapshotReader> {
    const { session, call, reading } = this.#pulling;
    const { repository, snapshots } = reading;
    this.#broken.add(broken.id);
    for (const name of packs) this.#damaged.add(name);
    const others = snapshots
      .filter((one) => isOfSame(one, broken) && !this.#broken.has(one.id))
      .toReversed();
    const found = await firstWhole(
      repository,
      this.#presence,
      others,
      this.#damaged,
      session.signal,
    );
    if (!found) throw notWhole(failure, nothingWhole(broken, call));
    if (!(await isAgreed(session, failure.message, whichOf(found)))) {
      throw notWhole(failure, takeHint(found, call));
    }
    session.emit({
      type: 'notice',
      code: 'older-taken',
      message: `taking ${shortId(found.id)} instead`,
      hint: `What is left of the other one: ${intoCommand(broken, call)}`,
    });
    return openSnapshot(repository, found, session.emit, session.signal);
  }
}

const whichOf = ({ id, cover }: OpenedCover): string =>
  `${shortId(id)} of ${timeText(cover.time)}, without what was done after that`;

const takeHint = (found: OpenedCover, call: Call): string =>
  `The newest whole one is ${whichOf(found)}. To take it: ` +
  commandAgain('pull', [shortId(found.id)], call, NOT_BY_ID);

const notWholeText = ({ id, cover }: OpenedCover): string =>
  `snapshot ${shortId(id)} of ${timeText(cover.time)} is not whole`;

/** They chose the snapshot that is not whole. */
const NOT_BY_ID = ['install', 'all'];

const isOfSame = (one: OpenedCover, other: OpenedCover): boolean =>
  one.machine === other.machine && one.cover.install === other.cover.install;

async function isAgreed(
  { options, terminal, signal }: Session,
  message: string,
  which: string,
): Promise<boolean> {
  // A yes that was said beforehand was not to losing what was done since.
  if (options.yes === true || !terminal.isThere || options.json === true) return false;
  const question = `${message}\nThe newest whole one is ${which}. Take that one? [y/N] `;
  return isYes(await terminal.ask(question, signal));
}

const notWhole = (
  { code, message }: { readonly code: ErrorCode; readonly message: string },
  hint: string,
): FerryError => new FerryError(code, message, { hint });

const nothingWhole = (broken: OpenedCover, call: Call): string =>
  `No snapshot of ${broken.cover.install} is whole. What is left of this one: ${intoCommand(broken, call)}`;

const intoCommand = ({ id }: OpenedCover, call: Call): string =>
  commandAgain('pull', [shortId(id), '--into', './rescued'], call, [...NOT_BY_ID, ...OF_LANDING]);

const OF_LANDING = ['as', 'map', 'dryRun', 'doctor', 'restart', 'undoOnFailure'];

const codeOf = ({ isMissing }: Loss): ErrorCode =>
  isMissing ? 'object-missing' : 'object-damaged';

function sayLoss(session: Session, loss: Loss): void {
  const code = codeOf(loss);
  for (const { root, files } of loss.unlisted) {
    const message = `the list of ${countText(files, 'file')} is lost: what changed in it nobody can tell`;
    session.emit({ type: 'problem', path: root, code, message });
  }
  for (const path of loss.files) {
    session.emit({ type: 'problem', path, code, message: 'its content is lost' });
  }
  const more = loss.filesLost - loss.files.length;
  if (more === 0) return;
  const message = `and ${countText(more, 'more file')}`;
  session.emit({ type: 'notice', code: 'more-lost', message });
}

function lossText({ packs, isMissing, filesLost, bytesLost, unlisted }: Loss): string {
  const gone = isMissing ? 'missing' : 'missing or cut short';
  const [are, them] = packs.length === 1 ? ['is', 'it'] : ['are', 'them'];
  const lost = [
    ...(filesLost > 0 ? [`${countText(filesLost, 'file')} (${bytesText(bytesLost)})`] : []),
    ...(unlisted.length > 0
      ? [`the list of files of ${unlisted.map(({ root }) => root).join(', ')}`]
      : []),
  ];
  return `${countText(packs.length, 'pack')} ${are} ${gone}, and with ${them} ${lost.join(' and ')}`;
}
