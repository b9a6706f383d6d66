/** Tombstones that are read once. */
import { decodeTombstone as open } from '../../../src/format/tombstone.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/format/tombstone.ts';
export const decodeTombstone = remembering(open);
