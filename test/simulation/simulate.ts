/**
 * One world for each seed: `node test/simulation/simulate.ts [--days 730] SEED…`; `--seeds 1000`: those from 1 (or from
 * `--first`) on, in `--jobs` processes at once; `--minutes 60`: no new world is begun after that.
 */
import { fork } from 'node:child_process';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { commandAgain, Sums } from './sums.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    days: { type: 'string', default: '730' },
    first: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '100000' },
    seeds: { type: 'string', default: '0' },
  },
});
const PROGRESS_EVERY = 25;
const toldSchema = z.object({
  /** Left out where all went well. */
  wrong: z.string().optional(),
  happened: z.record(z.string(), z.number()),
});

const days = Number(values.days);
const untilMs = Date.now() + Number(values.minutes) * 60_000;
const counted = Array.from({ length: Number(values.seeds) }, (_, at) =>
  String(Number(values.first) + at),
);
const seeds = [...positionals, ...counted];
const left = seeds.values();
const sums = new Sums();
let done = 0;
let failed = 0;

await Promise.all(Array.from({ length: Number(values.jobs) }, () => work()));
say(`${done - failed} of ${done} worlds of ${days} days are whole. In all of them together:`);
for (const line of sums.lines()) say(line);
if (failed > 0) process.exitCode = 1;

/** Hands out seeds to one process until none is left. */
function work(): Promise<void> {
  const child = fork(new URL('./simulate-child.ts', import.meta.url), [String(days)], {
    // Most of what a world makes is garbage within the same night.
    execArgv: ['--max-semi-space-size=64'],
  });
  return new Promise((resolve, reject) => {
    let seed: string | undefined;
    child.on('message', (message) => {
      if (seed !== undefined) hear(seed, toldSchema.parse(message));
      const { value } = Date.now() < untilMs ? left.next() : { value: undefined };
      seed = value;
      if (seed === undefined) child.disconnect();
      else child.send(seed);
    });
    child.on('exit', () => {
      if (seed === undefined) resolve();
      else reject(new Error(`a process ended over ${commandAgain(seed, days)}`));
    });
  });
}

function hear(seed: string, { wrong, happened }: z.infer<typeof toldSchema>): void {
  done += 1;
  sums.add(happened);
  if (wrong !== undefined) {
    failed += 1;
    say(`seed ${seed}: ${wrong}\n  again: ${commandAgain(seed, days)}`);
  } else if (seeds.length <= PROGRESS_EVERY) say(`seed ${seed}: whole`);
  if (done % PROGRESS_EVERY === 0) say(`${done} of ${seeds.length} worlds, ${failed} went wrong`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
