/** Pack lists that are read once. */
import { decodePackList as open } from '../../../src/format/pack-list.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/format/pack-list.ts';
export const decodePackList = remembering(open);
