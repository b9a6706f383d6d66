import { kdf } from './kdf.ts';

export const TICKET_SECRET_BYTES = 32;
const GRANT_ID_BYTES = 16;

/** What derives from the 32-byte secret of a ticket. Whoever holds one of them learns nothing of the others. */
export type TicketKeys = {
  /** The id of grant, claim and receipt: their names say nothing to who has only the bucket. */
  readonly grantId: Uint8Array;
  readonly grant: Uint8Array;
  readonly claim: Uint8Array;
  readonly receipt: Uint8Array;
};

export const ticketKeys = (secret: Uint8Array): TicketKeys => ({
  grantId: kdf(secret, 'grant name').subarray(0, GRANT_ID_BYTES),
  grant: kdf(secret, 'grant'),
  claim: kdf(secret, 'claim'),
  receipt: kdf(secret, 'receipt'),
});
