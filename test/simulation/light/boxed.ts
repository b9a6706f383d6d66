/** Boxes that are opened once. */
import { openBoxed as open } from '../../../src/repository/boxed.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/repository/boxed.ts';
export const openBoxed = remembering(open, 2);
