/** Indexes that are read once. */
import { decodeIndex as open } from '../../../src/format/index-object.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/format/index-object.ts';
export const decodeIndex = remembering(open);
