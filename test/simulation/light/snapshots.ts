/** Covers that are verified once. */
import { openCover as open } from '../../../src/repository/snapshots.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/repository/snapshots.ts';
export const openCover = remembering(open);
