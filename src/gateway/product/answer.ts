/** What a command of a product answers. */
import { z } from 'zod';
import type { RunResult } from '../../process/run.ts';

/** JSON out of a command's output, which may begin with warnings. */
export function parseJsonOutput(stdout: string): unknown {
  for (let at = nextBracket(stdout, 0); at >= 0; at = nextBracket(stdout, at + 1)) {
    try {
      return JSON.parse(stdout.slice(at));
    } catch {
      // A bracket of a log line: the answer begins at a later one, if there is any.
    }
  }
  return undefined;
}

/** The answer begins at the start of a line. */
function nextBracket(text: string, from: number): number {
  const pattern = /^[[{]/gm;
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? -1;
}

/**
 * Of a command about the service (`gateway install`, `stop`, `restart`): it found one and did what it was asked.
 * Whether that is so, others tell.
 */
export function saysDone({ exit, stdout }: RunResult): boolean {
  const answer = doneSchema.safeParse(parseJsonOutput(stdout));
  return exit === 0 && answer.success && answer.data.result !== 'not-loaded';
}

const doneSchema = z.object({ ok: z.literal(true), result: z.string().optional() });
