/** Every verb that there is. Nothing is imported here until it runs, so that `--help` stays quick. */
import type { Verb } from './verb.ts';
import { KEEPING_VERBS } from './verbs/keeping.ts';
import { LOOKING_VERBS } from './verbs/looking.ts';
import { MOVING_VERBS } from './verbs/moving.ts';

export const VERBS: readonly Verb[] = [...MOVING_VERBS, ...LOOKING_VERBS, ...KEEPING_VERBS];
