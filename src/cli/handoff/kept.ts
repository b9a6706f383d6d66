/** What the settings keep of handoffs from this machine. */
import { fromHex, toHex } from '../../base/bytes.ts';
import { FerryError } from '../../base/errors.ts';
import type { Claim } from '../../format/claim.ts';
import type { GrantFacts } from '../../format/grant.ts';
import { idFromBytes, type ObjectId, type WriterId } from '../../format/names.ts';
import type { OpenHandoff } from '../../handoff/standing.ts';
import type { Offer } from '../../handoff/offer.ts';
import { timeText } from '../../repository/objects.ts';
import type { HandoffSettings } from '../../settings/schema.ts';
import type { HighWaterMark } from '../../repository/machine.ts';
import { printLocation, type Location } from '../../store/location.ts';
import type { Session } from '../session.ts';

export type KeptHandoff = { readonly location: string; readonly handoff: HandoffSettings };

export const keptHandoffs = ({ settings }: Session): KeptHandoff[] =>
  settings.data.repositories.flatMap(({ location, handoffs = [] }) =>
    handoffs.map((handoff) => ({ location, handoff })),
  );

/** One per install: a second one would have nothing left to stop. */
export function keepHandoff(session: Session, location: string, handoff: HandoffSettings): void {
  session.settings.updateRepository(location, (one) => ({
    ...one,
    handoffs: [...others(one.handoffs, handoff.install), handoff],
  }));
}

/** What the claim said stays known, whatever becomes of it in the bucket. */
export function keepTaken(
  session: Session,
  { location, handoff }: KeptHandoff,
  { time, machine }: Pick<Claim, 'time' | 'machine'>,
): void {
  const { offer } = handoff;
  if (!offer || offer.taken) return;
  keepHandoff(session, location, { ...handoff, offer: { ...offer, taken: { time, machine } } });
}

export function dropHandoff(session: Session, location: string, install: string): void {
  session.settings.updateRepository(location, ({ handoffs, ...one }) => ({
    ...one,
    handoffs: others(handoffs, install),
  }));
}

const others = (
  handoffs: readonly HandoffSettings[] | undefined,
  install: string,
): HandoffSettings[] => (handoffs ?? []).filter((one) => one.install !== install);

export const offerKept = (
  { place, keys, endsAtMs }: Offer,
  { snapshot, digest }: HighWaterMark,
): NonNullable<HandoffSettings['offer']> => ({
  grant: place.id,
  repository: place.repository,
  writer: place.writer,
  snapshot,
  digest,
  endsAt: timeText(endsAtMs),
  claimKey: toHex(keys.claim),
  receiptKey: toHex(keys.receipt),
});

export const openHandoffOf = (offer: NonNullable<HandoffSettings['offer']>): OpenHandoff => ({
  repository: offer.repository,
  writer: idFromBytes<WriterId>(fromHex(offer.writer)),
  id: idFromBytes<ObjectId>(fromHex(offer.grant)),
  claimKey: fromHex(offer.claimKey),
  receiptKey: fromHex(offer.receiptKey),
});

/** How certainly one claim excludes another there, as far as the place was probed. */
export function createOnlyAt(session: Session, location: Location): GrantFacts['createOnly'] {
  const probed = session.settings.repository(printLocation(location))?.probe?.store.createOnly;
  return probed ?? (location.kind === 'folder' ? 'atomic' : 'racy');
}

/** @throws install-not-found, install-ambiguous */
export function meantHandoff(session: Session, install: string | undefined): KeptHandoff {
  const kept = keptHandoffs(session);
  const meant = kept.filter(({ handoff }) => install === undefined || handoff.install === install);
  const [only, ...more] = meant;
  if (only && more.length === 0) return only;
  const names = kept.map(({ handoff }) => handoff.install).join(', ');
  if (only) {
    throw new FerryError('install-ambiguous', `several are handed off: ${names}`, {
      hint: 'Name the one that is meant: stateferry handoff INSTALL --cancel',
    });
  }
  throw new FerryError('install-not-found', 'no such handoff is open on this machine', {
    hint: kept.length === 0 ? 'There is nothing to cancel.' : `There is one of ${names}.`,
  });
}
