/** The entry of the thread that walks ahead of a push. */
import { serveWalks } from '../workers/walk-ahead.ts';
import { omitRuleOf } from './omit-spec.ts';

serveWalks(omitRuleOf);
