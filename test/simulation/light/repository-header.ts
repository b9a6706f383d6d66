/** The header of the repository, read once. */
import { decodeRepositoryHeader as open } from '../../../src/format/repository-header.ts';
import { remembering } from './remembering.ts';

export * from '../../../src/format/repository-header.ts';
export const decodeRepositoryHeader = remembering(open);
