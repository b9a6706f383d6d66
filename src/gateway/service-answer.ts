/** What a command about the service (`gateway install`, `stop`, `restart`) says it did. */
import { z } from 'zod';
import type { RunResult } from '../process/run.ts';
import { parseJsonOutput } from './product-cli.ts';

const doneSchema = z.object({ ok: z.literal(true), result: z.string().optional() });

/** It found a service and did what it was asked. Whether that is so, others tell. */
export function saysDone({ exit, stdout }: RunResult): boolean {
  const answer = doneSchema.safeParse(parseJsonOutput(stdout));
  return exit === 0 && answer.success && answer.data.result !== 'not-loaded';
}
