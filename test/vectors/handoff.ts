/** The vectors of a handoff: tickets of both kinds, a grant, claims and a receipt, and what must be refused of them. */
import { concatBytes, fromHex, toHex, utf8 } from '../../src/base/bytes.ts';
import type { ErrorCode } from '../../src/base/errors.ts';
import { ticketKeys } from '../../src/crypto/ticket-keys.ts';
import { sealClaim, sealReceipt, type Claim, type Receipt } from '../../src/format/claim.ts';
import { sealGrant, type Grant } from '../../src/format/grant.ts';
import { idFromBytes, type ObjectId } from '../../src/format/names.ts';
import { printTicket, type Ticket } from '../../src/format/ticket.ts';
import { CHUNK_ID_KEY, OTHER_REPOSITORY, REPOSITORY, WRITER } from './keys.ts';
import { flipBit, overwrite } from './parts.ts';
import { COVER, LISTED, SNAPSHOT } from './sample.ts';
import { fixedBytes, fixedRandom } from './stream.ts';

export const SECRET = fixedBytes('ticket secret', 32);
export const KEYS = ticketKeys(SECRET);
const ID = idFromBytes<ObjectId>(KEYS.grantId);
export const HANDOFF_PLACE = { repository: REPOSITORY, writer: WRITER.id, id: ID };
const hex32 = (label: string): string => toHex(fixedBytes(label, 32));

const TEMPLATE = {
  base: 'https://my-bucket.s3.eu-central-1.amazonaws.com/ferry/',
  region: 'eu-central-1',
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  signedAtSeconds: 1_795_247_999,
  lifeSeconds: 86_400,
} as const;

const token = Buffer.from(fixedBytes('session token', 600)).toString('base64');

export const TICKETS: Readonly<Record<string, Ticket>> = {
  'AWS, static keys': bucketTicket({ ...TEMPLATE, token: undefined }),
  'R2, static keys': bucketTicket({
    ...TEMPLATE,
    base: `https://${hex32('account').slice(0, 32)}.r2.cloudflarestorage.com/my-bucket/ferry/`,
    region: 'auto',
    accessKeyId: hex32('key').slice(0, 32),
    token: undefined,
  }),
  'AWS, a session': bucketTicket({ ...TEMPLATE, token }),
  'a folder': {
    secret: SECRET,
    place: { kind: 'folder', repository: REPOSITORY, path: '/media/usb/fähre' },
  },
};

function bucketTicket(template: Extract<Ticket['place'], { kind: 'bucket' }>['template']): Ticket {
  const signature = fixedBytes('signature grant', 32);
  return { secret: SECRET, place: { kind: 'bucket', template, signature } };
}

const signatures = (label: string) => ({ get: hex32(`get ${label}`), put: hex32(`put ${label}`) });

export const GRANT: Grant = {
  ...HANDOFF_PLACE,
  endsAtMs: (TEMPLATE.signedAtSeconds + TEMPLATE.lifeSeconds) * 1000,
  facts: {
    snapshot: {
      id: SNAPSHOT.object,
      digest: hex32('digest'),
      key: hex32('snapshot key'),
      headerHash: hex32('snapshot header'),
    },
    cover: COVER,
    machine: 'harbour',
    signingKey: toHex(WRITER.signing.publicKey),
    chunkIdKey: toHex(CHUNK_ID_KEY),
    createOnly: 'atomic',
    addresses: {
      template: TEMPLATE,
      snapshot: hex32('get snapshot'),
      claim: signatures('claim'),
      receipt: signatures('receipt'),
    },
  },
  packs: LISTED.map((pack) => ({
    ...pack,
    key: fixedBytes('pack key', 32),
    headerHash: fixedBytes('pack header', 32),
    signature: fixedBytes('get pack', 32),
  })),
};

export const CLAIM: Claim = {
  what: 'taken',
  time: '2026-11-21T09:00:00.000Z',
  machine: 'new-harbour',
  nonce: toHex(fixedBytes('nonce', 16)),
};

export const RECEIPT: Receipt = {
  time: '2026-11-21T09:05:00.000Z',
  machine: 'new-harbour',
  tool: 'stateferry 0.1.0',
  product: 'openclaw 2026.3.2',
  snapshotDigest: hex32('digest'),
  ok: false,
  checks: 12,
  failed: [{ check: 'sessions of main', expected: '3', found: '2' }],
};

export type BadHandoff = {
  readonly kind: 'grant' | 'claim' | 'receipt' | 'ticket';
  readonly wrong: string;
  readonly code: ErrorCode;
  readonly bytes: Uint8Array;
};

const grantOf = (grant: Grant, label = 'grant'): Uint8Array =>
  sealGrant(KEYS.grant, grant, fixedRandom(`nonce ${label}`));
const claimOf = (): Uint8Array =>
  sealClaim(KEYS.claim, HANDOFF_PLACE, CLAIM, fixedRandom('nonce claim'));
const receiptOf = (): Uint8Array =>
  sealReceipt(KEYS.receipt, HANDOFF_PLACE, RECEIPT, fixedRandom('nonce receipt'));

export function handoffFiles(): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>([
    ['grant.bin', grantOf(GRANT)],
    ['claim.bin', claimOf()],
    ['receipt.bin', receiptOf()],
  ]);
  for (const { kind, wrong, bytes } of badHandoffs()) {
    files.set(`bad/${`${kind} ${wrong}`.replaceAll(/[^A-Za-z0-9]+/g, '-')}.bin`, bytes);
  }
  return files;
}

export function handoffJson(): object {
  return {
    secret: toHex(SECRET),
    grantId: ID,
    keys: { grant: toHex(KEYS.grant), claim: toHex(KEYS.claim), receipt: toHex(KEYS.receipt) },
    tickets: Object.entries(TICKETS).map(([what, ticket]) => ({ what, text: printTicket(ticket) })),
    grant: { endsAtMs: GRANT.endsAtMs, facts: GRANT.facts, packs: GRANT.packs.length },
    claim: CLAIM,
    receipt: RECEIPT,
    bad: badHandoffs().map(({ kind, wrong, code }) => ({ kind, wrong, code })),
  };
}

/** Each with one thing wrong. */
export function badHandoffs(): readonly BadHandoff[] {
  const grant = grantOf(GRANT);
  const otherSecret = ticketKeys(fixedBytes('another ticket', 32));
  return [
    ...badSealed('grant', grant, 88),
    ...badSealed('claim', claimOf(), 64),
    ...badSealed('receipt', receiptOf(), 64),
    bad('grant', 'another snapshot in the clear', 'object-damaged', flipBit(grant, 64)),
    bad('grant', 'another end in the clear', 'object-damaged', flipBit(grant, 80)),
    bad(
      'grant',
      'sealed for another ticket',
      'object-damaged',
      sealGrant(otherSecret.grant, GRANT, fixedRandom('nonce grant')),
    ),
    bad(
      'claim',
      'of another repository',
      'object-foreign',
      overwrite(claimOf(), 16, fromHex(OTHER_REPOSITORY)),
    ),
    ...badTickets(),
  ];
}

function bad(
  kind: BadHandoff['kind'],
  wrong: string,
  code: ErrorCode,
  bytes: Uint8Array,
): BadHandoff {
  return { kind, wrong, code, bytes };
}

function badSealed(kind: BadHandoff['kind'], good: Uint8Array, boxAt: number): BadHandoff[] {
  return [
    bad(kind, 'another magic', 'object-damaged', flipBit(good, 0)),
    bad(kind, 'a newer version', 'format-too-new', overwrite(good, 7, Uint8Array.of(2))),
    bad(kind, 'another kind', 'object-foreign', overwrite(good, 8, Uint8Array.of(1))),
    bad(kind, 'another id', 'object-foreign', flipBit(good, 63)),
    bad(kind, 'cut by one byte', 'object-damaged', good.slice(0, -1)),
    bad(kind, 'one byte more', 'object-damaged', concatBytes(good, new Uint8Array(1))),
    bad(kind, 'cut inside the header', 'object-damaged', good.slice(0, 60)),
    bad(kind, 'a flipped bit in the commitment', 'object-damaged', flipBit(good, boxAt + 24)),
    bad(kind, 'a flipped bit in the box', 'object-damaged', flipBit(good, boxAt + 60)),
  ];
}

function badTickets(): BadHandoff[] {
  const text = printTicket(bucketTicket({ ...TEMPLATE, token: undefined }));
  const ticket = (wrong: string, code: ErrorCode, broken: string): BadHandoff =>
    bad('ticket', wrong, code, utf8(broken));
  const next = text[60] === 'a' ? 'b' : 'a';
  return [
    ticket('one character mistyped', 'nothing-opens', text.slice(0, 60) + next + text.slice(61)),
    ticket('cut off', 'nothing-opens', text.slice(0, 90)),
    ticket('a character missing', 'nothing-opens', text.slice(0, 40) + text.slice(41)),
    ticket('a recovery code', 'nothing-opens', 'SF1-436F-PH0Q-NQBX-2HJY-A2T6-2H0W-86VK-NW9V-YSPK'),
    ticket('of a newer version', 'format-too-new', `sft2${text.slice(4)}`),
  ];
}
