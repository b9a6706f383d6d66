/** The bin: this process's streams and signals around one run of the command line. */
import { setFlagsFromString } from 'node:v8';
import { systemClock } from './base/clock.ts';
import { whenAsked } from './cli/interrupt.ts';
import { processSinks } from './cli/output/streams.ts';
import { run } from './cli/run.ts';

// What takes long here runs in native code: the second optimising compiler costs more than it brings.
setFlagsFromString('--no-opt');

const interrupt = new AbortController();

const onSignal = whenAsked(interrupt, systemClock, () => process.exit(130));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);

process.exitCode = await run({
  argv: process.argv.slice(2),
  sinks: processSinks(),
  interrupt,
});
