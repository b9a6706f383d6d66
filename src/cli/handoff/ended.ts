/** What to do when a ticket ends while it is used. */
import { ticketKeys } from '../../crypto/ticket-keys.ts';
import { FerryError } from '../../base/errors.ts';
import type { Ticket } from '../../format/ticket.ts';
import { grantIdOf } from '../../repository/granted.ts';
import type { SettingsData } from '../../settings/schema.ts';

/** A ticket that ended after it was claimed from here: the old machine cancels it, and counts it as taken. */
export function endedAfterClaim(
  { takeovers = [] }: Pick<SettingsData, 'takeovers'>,
  { secret }: Pick<Ticket, 'secret'>,
  error: unknown,
): unknown {
  const grant = grantIdOf(ticketKeys(secret));
  const isOurs = takeovers.some((one) => one.grant === grant);
  if (!(error instanceof FerryError) || error.code !== 'ticket-expired' || !isOurs) return error;
  return new FerryError('ticket-expired', `${error.message}, and this machine had claimed it`, {
    hint:
      'On the old machine: stateferry handoff --cancel (at a terminal: it asks for a typed word), ' +
      'then stateferry handoff.',
    cause: error,
  });
}
