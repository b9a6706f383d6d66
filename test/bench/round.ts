/** One round: every tool does every operation on the same tree, in an order that the round decides. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CountingProxy, Traffic } from './counting-proxy.ts';
import { measure, type Command } from './measure.ts';
import type { Machine, Target, Tool } from './tools.ts';
import { makeWorkload, type Workload, type WorkloadName } from './workloads.ts';

export const OPERATIONS = [
  'first push',
  'unchanged push',
  'day push',
  'full pull',
  'one file',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export type Figure = {
  readonly tool: string;
  readonly workload: WorkloadName;
  readonly operation: Operation;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssMaxBytes: number;
  /** Size of the repository after it. */
  readonly storedBytes: number;
  readonly traffic?: Traffic;
};

export type Round = {
  readonly workload: WorkloadName;
  readonly tools: readonly Tool[];
  readonly seed: number;
  readonly scale: number;
  /** Empty; removed afterwards. */
  readonly folder: string;
  /** A fresh target for one tool, and where its bytes lie on this disk. */
  makeTarget(tool: Tool): { readonly target: Target; readonly storedIn: string };
  /** Present in a counted round; its figures' times mean nothing. */
  readonly proxy?: CountingProxy;
  readonly say: (line: string) => void;
};

type Contestant = {
  readonly tool: Tool;
  readonly target: Target;
  readonly storedIn: string;
  readonly machine: Machine;
};

export async function playRound(round: Round): Promise<Figure[]> {
  const figures: Figure[] = [];
  const { folder, seed, scale } = round;
  mkdirSync(folder, { recursive: true });
  try {
    const workload = makeWorkload(round.workload, { home: join(folder, 'home'), seed, scale });
    round.say(`${round.workload}: ${workload.files} files, ${workload.bytes} bytes`);
    const contestants = round.tools.map((tool) => enter(round, tool));
    for (const contestant of contestants) {
      await prepare(contestant, workload, folder);
      const push = (): Command => pushCommand(contestant, workload);
      figures.push(await perform(round, contestant, 'first push', push()));
      figures.push(await perform(round, contestant, 'unchanged push', push()));
    }
    if (workload.passDay !== undefined) {
      workload.passDay();
      for (const contestant of contestants) {
        const command = pushCommand(contestant, workload);
        figures.push(await perform(round, contestant, 'day push', command));
      }
    }
    for (const contestant of contestants) {
      figures.push(...(await pullEverything(round, contestant, workload)));
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

function enter(round: Round, tool: Tool): Contestant {
  const { target, storedIn } = round.makeTarget(tool);
  const machine = { folder: join(round.folder, 'machines', tool.name) };
  mkdirSync(machine.folder, { recursive: true });
  return { tool, target, storedIn, machine };
}

async function prepare(who: Contestant, workload: Workload, scratch: string): Promise<void> {
  for (const command of who.tool.init(who.machine, who.target, workload)) {
    await measure(command, scratch);
  }
  // The page cache is warm for everyone.
  spawnSync('tar', ['-cf', '/dev/null', workload.stateDir]);
}

const pushCommand = (who: Contestant, workload: Workload): Command =>
  who.tool.push(who.machine, who.target, workload);

/** On a second machine, which has no cache. What comes back must be what was pushed. */
async function pullEverything(
  round: Round,
  who: Contestant,
  workload: Workload,
): Promise<Figure[]> {
  const { tool, target } = who;
  const machine = { folder: join(round.folder, 'second-machines', tool.name) };
  const into = join(round.folder, 'pulled');
  mkdirSync(machine.folder, { recursive: true });
  for (const command of tool.connect(machine, target)) await measure(command, round.folder);
  mkdirSync(into);
  const pull = tool.pull(machine, target, workload, into);
  const full = await perform(round, who, 'full pull', pull);
  assertSameFiles(workload, into, tool.name);
  rmSync(into, { recursive: true, force: true });
  mkdirSync(into);
  const one = await perform(round, who, 'one file', tool.pullOne(machine, target, workload, into));
  if (countFiles(into) !== 1)
    throw new Error(`${tool.name} restored ${countFiles(into)} files, not one`);
  rmSync(into, { recursive: true, force: true });
  return [full, one];
}

async function perform(
  round: Round,
  who: Contestant,
  operation: Operation,
  command: Command,
): Promise<Figure> {
  // Nobody pays for what the one before left to be written.
  spawnSync('sync');
  round.proxy?.take();
  const measured = await measure(command, round.folder);
  const figure = {
    tool: who.tool.name,
    workload: round.workload,
    operation,
    wallMs: measured.wallMs,
    cpuMs: measured.cpuMs,
    rssMaxBytes: measured.rssMaxBytes,
    storedBytes: sizeOf(who.storedIn),
    ...(round.proxy === undefined ? {} : { traffic: round.proxy.take() }),
  };
  const seconds = (figure.wallMs / 1000).toFixed(2);
  round.say(`  ${who.tool.name}, ${operation}: ${seconds} s`);
  return figure;
}

function assertSameFiles(workload: Workload, into: string, tool: string): void {
  const wanted = countFiles(workload.stateDir);
  const found = countFiles(into);
  if (found < wanted) throw new Error(`${tool} brought ${found} of ${wanted} files back`);
}

function countFiles(folder: string): number {
  const names = execFileSync('find', [folder, '-type', 'f', '-printf', '.'], {
    maxBuffer: 2 ** 28,
  });
  return names.length;
}

function sizeOf(folder: string): number {
  const said = execFileSync('find', [folder, '-type', 'f', '-printf', '%s\\n'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  return said.split('\n').reduce((sum, line) => sum + Number(line), 0);
}
