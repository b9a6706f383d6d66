/** Packs that a handful of old ones fill. */
import { PIPELINE as REAL } from '../../../src/workers/limits.ts';

export * from '../../../src/workers/limits.ts';
export const PIPELINE = { ...REAL, packBytes: 4096 } as const;
