/** Every verb that there is. Nothing is imported here until it runs, so that `--help` stays quick. */
import type { Verb } from './verb.ts';
import { KEEPING_VERBS } from './verbs/keeping.ts';
import { LOOKING_VERBS } from './verbs/looking.ts';
import { MOVING_VERBS } from './verbs/moving.ts';

/** As `--help` lists them. */
export const VERB_GROUPS: readonly { readonly title: string; readonly verbs: readonly Verb[] }[] = [
  { title: 'Move and back up:', verbs: MOVING_VERBS },
  { title: 'Look inside:', verbs: LOOKING_VERBS },
  { title: 'Keep it well:', verbs: KEEPING_VERBS },
];

export const VERBS: readonly Verb[] = VERB_GROUPS.flatMap(({ verbs }) => verbs);
