/** Forget records that are read once. */
import { decodeForgetRecord as open } from '../../../src/format/forget-record.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/format/forget-record.ts';
export const decodeForgetRecord = remembering(open);
