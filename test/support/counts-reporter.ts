/** A reporter for `node --test` that writes the runner's own counts as one JSON document, for `test/run.ts`. */
import type { TestEvent } from 'node:test/reporters';

export type RunCounts = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Test files in which no test ran: nothing was checked there. */
  readonly emptyFiles: readonly string[];
  readonly skips: readonly { readonly test: string; readonly reason: string }[];
};

export default async function* countsReporter(
  source: AsyncIterable<TestEvent>,
): AsyncGenerator<string> {
  let passed = 0;
  let failed = 0;
  let skipped = 0;
  const emptyFiles: string[] = [];
  const skips: { test: string; reason: string }[] = [];
  for await (const event of source) {
    if (event.type === 'test:pass' && event.data.skip !== undefined && event.data.skip !== false) {
      skips.push({ test: event.data.name, reason: String(event.data.skip) });
    }
    // A file that registered no test is reported as one passed test with the file's own name.
    if (event.type === 'test:pass' && event.data.name.endsWith('.test.ts'))
      emptyFiles.push(event.data.name);
    if (event.type !== 'test:summary') continue;
    const { file, counts } = event.data;
    if (file === undefined) {
      passed = counts.passed;
      failed = counts.tests - counts.passed - counts.skipped - counts.todo;
      skipped = counts.skipped + counts.todo;
    }
  }
  yield JSON.stringify({ passed, failed, skipped, emptyFiles, skips } satisfies RunCounts);
}
