/** How handoffs from this machine stand, and receipts of takeovers that could not be stored yet. */
import { fromBase64, fromHex } from '../../base/bytes.ts';
import { FerryError } from '../../base/errors.ts';
import type { Claim } from '../../format/claim.ts';
import type { Install } from '../../gateway/install/install.ts';
import { standingOf, type Standing } from '../../handoff/standing.ts';
import { storeReceipt } from '../../handoff/take-over.ts';
import type { HandoffSettings, TakeoverSettings } from '../../settings/schema.ts';
import { openGrantedStore } from '../../store/granted-store.ts';
import { parseLocation } from '../../store/location.ts';
import { openStore } from '../../store/open-store.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import type { HandoffLine } from '../output/handoff/summary.ts';
import type { Attention } from '../output/status/summary.ts';
import { storeAt } from '../places/repositories.ts';
import type { Session } from '../session.ts';
import { keepTaken, keptHandoffs, openHandoffOf, type KeptHandoff } from './kept.ts';

export async function handoffLines(session: Session): Promise<HandoffLine[]> {
  const lines: HandoffLine[] = [];
  for (const kept of keptHandoffs(session)) {
    const { handoff, location } = kept;
    const standing = handoff.offer && (await look(session, kept, handoff.offer));
    if (standing?.claim?.what === 'taken') rememberClaim(session, kept, standing.claim);
    lines.push(lineOf(handoff, location, standing));
  }
  return lines;
}

/** While another command has the settings, a later look does it. */
function rememberClaim(session: Session, kept: KeptHandoff, claim: Claim): void {
  try {
    keepTaken(session, kept, claim);
  } catch (error) {
    if (!(error instanceof FerryError && error.code === 'settings-locked')) throw error;
  }
}

/** undefined: the place cannot be reached, which status says anyway. */
async function look(
  session: Session,
  { location }: KeptHandoff,
  offer: NonNullable<HandoffSettings['offer']>,
): Promise<Standing | undefined> {
  try {
    const place = parseLocation(location, session.environment.workingFolder);
    const store = await storeAt(session, place);
    return await standingOf(store, openHandoffOf(offer), Date.parse(offer.endsAt), session.signal);
  } catch (error) {
    if (!(error instanceof FerryError) || error.code === 'bug' || session.signal.aborted)
      throw error;
    return undefined;
  }
}

function lineOf(
  { install, time, offer, fence }: HandoffSettings,
  repository: string,
  standing: Standing | undefined,
): HandoffLine {
  const { claim, receipt } = standing ?? {};
  const taken = claim?.what === 'taken' ? claim : offer?.taken;
  const isLost = standing !== undefined && taken !== undefined && claim?.what !== 'taken';
  const isLongOver = standing?.isLongOver === true;
  const isUnknown = standing?.state === 'ended' && isLongOver;
  const shown = standing === undefined || isUnknown ? 'unknown' : standing.state;
  const claimGone = isLost && !isLongOver;
  return {
    install,
    repository,
    state: isLost ? 'taken' : offer ? shown : 'interrupted',
    claimGone,
    offeredAt: time,
    endsAt: offer?.endsAt ?? null,
    takenAt: taken?.time ?? null,
    takenBy: taken?.machine ?? null,
    confirmedAt: receipt?.time ?? null,
    // A receipt for something else confirms nothing.
    ok: receipt ? receipt.ok && receipt.snapshotDigest === offer?.digest : null,
    failed: receipt?.failed.map(({ check, expected, found }) => ({ check, expected, found })) ?? [],
    serviceFenced: fence?.service !== undefined,
  };
}

export function handoffAttention(
  lines: readonly HandoffLine[],
  installs: readonly Pick<Install, 'install' | 'running'>[],
): Attention[] {
  return lines.flatMap(({ install, state, takenBy, claimGone, ok, endsAt }): Attention[] => {
    const isAlive = installs.some((one) => one.install === install && one.running);
    if (isAlive && OPEN.has(state)) {
      const message = `the gateway of ${install} runs here, and it was handed off`;
      const cancel = `stateferry handoff ${install} --cancel`;
      const hint = `Stop it: two live copies harm each other. Or, if nobody has it: ${cancel}`;
      return [{ code: 'handed-off-alive', message, hint }];
    }
    if (claimGone) {
      const message = `${takenBy} had taken over ${install}, and its claim is not in the repository any more`;
      const hint =
        'Somebody removed it there. The gateway may live on both machines if it starts here.';
      return [{ code: 'claim-gone', message, hint }];
    }
    const back = `stateferry handoff ${install} --cancel takes it back.`;
    if (state === 'interrupted') {
      const message = `a handoff of ${install} was interrupted before there was a ticket`;
      return [{ code: 'handoff-interrupted', message, hint: `Run it again; ${back}` }];
    }
    if (state === 'ended') {
      const message = `the ticket of ${install} ended at ${endsAt}, and nobody took over`;
      return [{ code: 'ticket-expired', message, hint: back }];
    }
    if (ok === false) {
      const message = `${takenBy} has ${install}, and its checklist did not pass there`;
      return [
        { code: 'checklist-failed', message, hint: `Look at it there before anything else.` },
      ];
    }
    return [];
  });
}

const OPEN: ReadonlySet<HandoffLine['state']> = new Set([
  'offered',
  'taken',
  'confirmed',
  'unknown',
]);

/** Receipts that were lost on the way to the store. */
export async function storePendingReceipts(session: Session): Promise<void> {
  for (const takeover of session.settings.data.takeovers ?? []) {
    if (!takeover.receipt) continue;
    try {
      const store = await receiptStore(session, takeover.receipt);
      const { name, bytes } = takeover.receipt;
      await storeReceipt(store, name, fromBase64(bytes), session.signal);
      dropReceipt(session, takeover);
      const message = `the receipt for ${takeover.install} is stored: the old machine sees that all is well`;
      session.emit({ type: 'notice', code: 'receipt-stored', message });
    } catch (error) {
      if (!(error instanceof FerryError) || error.code === 'bug' || session.signal.aborted)
        throw error;
      const message = `the receipt for ${takeover.install} cannot be stored: ${error.message}`;
      const hint =
        'The install is in place all the same; the old machine sees "taken", not "confirmed".';
      session.emit({ type: 'notice', code: 'receipt-pending', message, hint });
    }
  }
}

export function keepTakeover(session: Session, takeover: TakeoverSettings): void {
  session.settings.update((data) => ({
    ...data,
    takeovers: [
      ...(data.takeovers ?? []).filter(({ grant }) => grant !== takeover.grant),
      takeover,
    ],
  }));
}

export function dropReceipt(session: Session, takeover: TakeoverSettings): void {
  const { grant, install, snapshot, time, nonce } = takeover;
  keepTakeover(session, { grant, install, snapshot, time, nonce });
}

async function receiptStore(
  session: Session,
  { name, folder, addresses }: NonNullable<TakeoverSettings['receipt']>,
): Promise<ObjectStore> {
  if (folder !== undefined) {
    return openStore(
      { kind: 'folder', path: folder },
      { emit: session.emit, clock: session.clock },
    );
  }
  if (!addresses) throw new FerryError('file-unreadable', 'the settings do not say where it goes');
  const { get, put, createOnly, ...template } = addresses;
  return openGrantedStore({
    location: template.base,
    template: { ...template, token: template.token },
    gets: new Map([[name, fromHex(get)]]),
    puts: new Map([[name, fromHex(put)]]),
    createOnly,
  });
}
