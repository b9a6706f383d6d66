/** pull TICKET: this machine takes a gateway over, with nothing but npm and one line of text. */
import { toBase64, toHex } from '../../base/bytes.ts';
import { assert, FerryError, messageOf } from '../../base/errors.ts';
import type { Receipt } from '../../format/claim.ts';
import { looksLikeTicket, parseTicket, type Ticket } from '../../format/ticket.ts';
import {
  claimTicket,
  grantAddresses,
  receiptBytes,
  requireUnclaimed,
  storeReceipt,
  ticketAddresses,
} from '../../handoff/take-over.ts';
import type { Pulled } from '../../pull/pull.ts';
import { receiptName } from '../../repository/claims.ts';
import {
  grantedSource,
  openGrantedSnapshot,
  openTicket,
  type OpenedTicket,
} from '../../repository/granted.ts';
import { timeText } from '../../repository/objects.ts';
import type { TakeoverSettings } from '../../settings/schema.ts';
import { openGrantedStore, type Granted } from '../../store/granted-store.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { openStore, withRetries } from '../../store/open-store.ts';
import type { Cost } from '../output/summary-parts.ts';
import { joinCommand } from '../members/membership.ts';
import { machineName } from '../members/machine-name.ts';
import { cacheOf } from '../places/repositories.ts';
import { pullHere, rememberPull, type PullWishes } from '../pull/pull-install.ts';
import { pulledSummary } from '../pull/pull-summary.ts';
import { meantLocations, type Session } from '../session.ts';
import type { Report } from '../verb.ts';
import { comeBack } from './cancel.ts';
import { endedAfterClaim } from './ended.ts';
import { dropReceipt, keepTakeover } from './status.ts';

/** Whether what stands where a snapshot may stand is a ticket, or says that one comes. */
export const isTicketMeant = (typed: string | undefined): typed is string =>
  typed !== undefined && (typed === '-' || looksLikeTicket(typed));

const TICKET_BYTES_MAX = 64 * 1024;

/** From a pipe it stands in no list of processes and in no history. */
export async function readTicket(session: Session, typed: string): Promise<Ticket> {
  if (typed !== '-') return parseTicket(typed);
  const { terminal, signal } = session;
  if (terminal.isThere) return parseTicket(await terminal.askHidden('Ticket: ', signal));
  return parseTicket(await terminal.readAll(TICKET_BYTES_MAX, signal));
}

export async function takeOver(
  session: Session,
  ticket: Ticket,
  wishes: PullWishes,
  costUntilNow: (stores: readonly ObjectStore[]) => Cost,
): Promise<Report> {
  const place = await placeOf(session, ticket).catch((error: unknown) => {
    throw endedAfterClaim(session.settings.data, ticket, error);
  });
  const openedAtMs = session.clock.nowMs();
  const { opened, store } = place;
  const known = session.settings.data.takeovers?.find(({ grant }) => grant === opened.grant.id);
  await requireUnclaimed(store, opened, known?.nonce, session.signal);
  const cache = cacheOf(session, opened.grant.repository);
  const source = { ...grantedSource(store, opened.grant), cache };
  const snapshot = await openGrantedSnapshot(source, opened.grant, session.emit, session.signal);
  const { install } = snapshot.body.install;
  const machine = machineName(undefined);
  const takeover: TakeoverSettings = known ?? {
    grant: opened.grant.id,
    install,
    snapshot: opened.grant.facts.snapshot.id,
    time: timeText(opened.nowMs),
    nonce: toHex(session.random(16)),
  };
  const accepted = async (): Promise<void> => {
    sayPromise(session, opened);
    keepTakeover(session, takeover);
    const claimant = { machine, nonce: takeover.nonce };
    await claimTicket(store, opened, claimant, session, session.signal);
    if (wishes.as === undefined) await comeBack(session, install);
  };
  const all = await pullHere(session, source, [snapshot], wishes, { accepted });
  const [pulled] = all;
  assert(pulled, 'one snapshot was pulled');
  // What was undone at once may be tried again with the same ticket: its claim is still ours.
  if (!pulled.landed || pulled.undone) return pulledSummary(all, null, costUntilNow([store]));
  rememberPull(session, place.shown, all);
  const elapsedMs = session.clock.nowMs() - openedAtMs;
  await confirm(session, place, takeover, receiptOf(session, opened, elapsedMs, machine, pulled));
  const { folder } = place;
  // A bucket's addresses do not tell its location.
  const join = folder === undefined ? null : joinCommand(session, { kind: 'folder', path: folder });
  return pulledSummary(all, join, costUntilNow([store]));
}

type Place = {
  readonly opened: OpenedTicket;
  readonly store: ObjectStore;
  /** For people. */
  readonly shown: string;
  readonly addresses: Granted | undefined;
  readonly folder: string | undefined;
};

async function placeOf(session: Session, ticket: Ticket): Promise<Place> {
  const { place, secret } = ticket;
  if (place.kind === 'folder') return folderPlace(session, place.path, ticket);
  const first = retrying(session, ticketAddresses(ticket, place));
  const opened = await openTicket(first, secret, session.signal);
  const addresses = grantAddresses(opened.grant);
  const store = retrying(session, addresses);
  return { opened, store, shown: addresses.location, addresses, folder: undefined };
}

const retrying = ({ emit, clock }: Session, granted: Granted): ObjectStore =>
  withRetries(openGrantedStore(granted), { emit, clock });

/** The folder is where the old machine had it, unless `-r` says where it is here. */
async function folderPlace(session: Session, path: string, ticket: Ticket): Promise<Place> {
  const { options, environment } = session;
  const isNamed = options.repository !== undefined || environment.own.repository !== undefined;
  const [location] = isNamed ? meantLocations(session) : [{ kind: 'folder', path } as const];
  if (location?.kind !== 'folder') {
    throw new FerryError('usage', 'this ticket is for a repository in a folder, not in a bucket', {
      hint: 'Name the folder: stateferry pull - -r DIR',
    });
  }
  const store = await openStore(location, { emit: session.emit, clock: session.clock });
  session.atEnd(() => store.close());
  try {
    const opened = await openTicket(store, ticket.secret, session.signal);
    const shown = location.path;
    return { opened, store, shown, addresses: undefined, folder: location.path };
  } catch (error) {
    const isElsewhere = error instanceof FerryError && error.code === 'repository-missing';
    if (!isElsewhere) throw error;
    throw new FerryError(
      'repository-missing',
      `the folder ${location.path} of this ticket is not here`,
      {
        hint: 'Name it as it is called on this machine: stateferry pull - -r DIR',
        cause: error,
      },
    );
  }
}

/** What a store cannot promise is said before it matters. */
function sayPromise(session: Session, { grant }: OpenedTicket): void {
  if (grant.facts.createOnly === 'atomic') return;
  session.emit({
    type: 'notice',
    code: 'claim-racy',
    message: 'this store cannot keep two claims of the same moment apart for sure',
    hint: 'Use the ticket on one machine only; otherwise the one that claimed last counts.',
  });
}

function receiptOf(
  session: Session,
  { grant, nowMs }: OpenedTicket,
  elapsedMs: number,
  machine: string,
  { landed, plan }: Pulled,
): Receipt {
  const failed = (landed?.checklist ?? []).filter(({ ok }) => !ok);
  return {
    // By the store's clock: this machine's own may be a day off.
    time: timeText(nowMs + Math.max(0, elapsedMs)),
    machine,
    tool: session.tool,
    product: plan.cli ?? null,
    snapshotDigest: grant.facts.snapshot.digest,
    ok: landed?.ok === true,
    checks: landed?.checklist.length ?? 0,
    failed: failed.map(({ check, expected, found }) => ({ check, expected, found })),
  };
}

/** Kept until it is stored: a later status tries again. */
async function confirm(
  session: Session,
  { opened, store, folder, addresses }: Place,
  takeover: TakeoverSettings,
  receipt: Receipt,
): Promise<void> {
  const name = receiptName(opened.grant);
  const bytes = receiptBytes(opened, receipt, session.random);
  const kept = {
    name,
    bytes: toBase64(bytes),
    ...(folder !== undefined && { folder }),
    ...(addresses && { addresses: keptAddresses(addresses, opened) }),
  };
  keepTakeover(session, { ...takeover, receipt: kept });
  try {
    await storeReceipt(store, name, bytes, session.signal);
    dropReceipt(session, takeover);
  } catch (error) {
    if (session.signal.aborted) throw error;
    const message = `the receipt could not be stored: ${messageOf(error)}`;
    const hint =
      'Everything is in place. stateferry status stores it later, so that the old machine knows.';
    session.emit({ type: 'notice', code: 'receipt-pending', message, hint });
  }
}

function keptAddresses({ template, createOnly }: Granted, { grant }: OpenedTicket) {
  const { token, ...rest } = template;
  const receipt = grant.facts.addresses?.receipt ?? { get: '', put: '' };
  return { ...rest, ...(token !== undefined && { token }), ...receipt, createOnly };
}
