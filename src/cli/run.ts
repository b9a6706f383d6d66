/** From arguments to an exit status: parse, run one verb, say how it ended. The only place that catches. */
import { systemClock } from '../base/clock.ts';
import { READER_GONE, type Output, type OutputChoices, type Sinks } from './output/output.ts';
import { parseArguments, type Parsed } from './program.ts';
import type { Report, Verb } from './verb.ts';

export type Process = {
  readonly argv: readonly string[];
  readonly sinks: Sinks;
  readonly interrupt: AbortController;
};

export async function run({ argv, sinks, interrupt }: Process): Promise<number> {
  const stop = (why: Error): void => interrupt.abort(why);
  const parsed = await orFailure(
    () => parseArguments(argv, (text) => sinks.stdout.write(text)),
    () => outputOf(sinks, beforeParsing(argv), stop),
    interrupt.signal,
  );
  if ('failed' in parsed) return parsed.failed;
  if (parsed.done.kind === 'printed') return 0;
  const { call } = parsed.done;
  const output = await outputOf(sinks, choicesOf(call.options), stop);
  const ended = await orFailure(
    () => runToTheEnd(parsed.done, output, sinks, interrupt),
    () => Promise.resolve(output),
    interrupt.signal,
  );
  return 'failed' in ended ? ended.failed : ended.done;
}

/** Its exit status, once the answer has been written. */
async function runToTheEnd(
  parsed: Parsed,
  output: Output,
  sinks: Sinks,
  interrupt: AbortController,
): Promise<number> {
  const report = await runVerb(parsed, output, sinks, interrupt);
  const exit = report?.exit ?? 0;
  if (report) output.finish(report.summary, exit);
  await sinks.stdout.writeBytes(new Uint8Array());
  const why = sinks.stdout.over();
  if (why && why !== READER_GONE) throw why;
  return exit;
}

async function runVerb(
  parsed: Parsed,
  output: Output,
  sinks: Sinks,
  interrupt: AbortController,
): Promise<Report | undefined> {
  if (parsed.kind === 'printed') return undefined;
  const { openSession } = await import('./session.ts');
  const session = await openSession(parsed.call.options, { output, sinks, interrupt });
  try {
    const runThis = await parsed.verb.load();
    return await runThis(parsed.call, session);
  } catch (error) {
    const { namingTheRole } = await import('./roles/verb-roles.ts');
    throw namingTheRole(error, nameOf(parsed.verb));
  } finally {
    await session.close();
  }
}

const nameOf = ({ usage }: Verb): string => usage.split(' ')[0] ?? usage;

type Ended<T> = { readonly done: T } | { readonly failed: number };

async function orFailure<T>(
  work: () => Promise<T>,
  outputFor: () => Promise<Output>,
  signal: AbortSignal,
): Promise<Ended<T>> {
  try {
    return { done: await work() };
  } catch (error) {
    // `… | head` has seen enough: all that was asked for happened.
    if (signal.reason === READER_GONE) return { failed: 0 };
    const { failureOf } = await import('./output/failure.ts');
    const failure = failureOf(error, signal);
    const output = await outputFor();
    output.fail(failure);
    return { failed: failure.exit };
  }
}

async function outputOf(
  sinks: Sinks,
  choices: OutputChoices,
  stop: (why: Error) => void,
): Promise<Output> {
  if (choices.json) {
    const { jsonOutput } = await import('./output/json-output.ts');
    return jsonOutput(sinks, stop);
  }
  const [{ textOutput }, { isColorWanted }] = await Promise.all([
    import('./output/text-output.ts'),
    import('../settings/environment.ts'),
  ]);
  const color = choices.color && isColorWanted();
  return textOutput(sinks, { ...choices, color }, systemClock, stop);
}

function choicesOf(options: {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly color: boolean;
}): OutputChoices {
  return {
    json: options.json === true,
    quiet: options.quiet === true,
    verbose: options.verbose === true,
    color: options.color,
  };
}

/** Arguments that could not be parsed still say how the failure shall be told. */
function beforeParsing(argv: readonly string[]): OutputChoices {
  const end = argv.indexOf('--');
  const options = end < 0 ? argv : argv.slice(0, end);
  return { json: options.includes('--json'), quiet: false, verbose: false, color: false };
}
