/** Signatures that are verified once. */
import { verify as check } from '../../../src/crypto/signature.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/crypto/signature.ts';
export const verify = remembering(check, 1);
