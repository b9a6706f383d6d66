/** Repack records that are read once. */
import { decodeRepackRecord as open } from '../../../src/format/repack-record.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/format/repack-record.ts';
export const decodeRepackRecord = remembering(open);
