/** Revocations that are read once. */
import { decodeRevocation as open } from '../../../src/format/revocation.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/format/revocation.ts';
export const decodeRevocation = remembering(open);
