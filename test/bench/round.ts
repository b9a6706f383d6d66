/** One round: every tool does every operation on the same tree, in an order that the round decides. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  enter,
  perform,
  prepare,
  rotated,
  sizeOf,
  type Arena,
  type Contestant,
  type Cost,
} from './contestants.ts';
import { measure, type Command } from './measure.ts';
import type { Tool } from './tools.ts';
import { makeWorkload, type Workload, type WorkloadName } from './workloads.ts';

export const OPERATIONS = [
  'first push',
  'unchanged push',
  'day push',
  'full pull',
  'one file',
  'check all',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export type Figure = Cost & {
  readonly tool: string;
  readonly workload: WorkloadName;
  readonly operation: Operation;
  /** Size of the repository after it. */
  readonly storedBytes: number;
};

export type Round = Arena & {
  readonly workload: WorkloadName;
  readonly tools: readonly Tool[];
  readonly seed: number;
  readonly scale: number;
  /** How often everything is checked, in turns: the store stays as it is. */
  readonly checks: number;
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
      figures.push(await figureOf(round, contestant, 'first push', push()));
      figures.push(await figureOf(round, contestant, 'unchanged push', push()));
    }
    if (workload.passDay !== undefined) {
      workload.passDay();
      for (const contestant of contestants) {
        const command = pushCommand(contestant, workload);
        figures.push(await figureOf(round, contestant, 'day push', command));
      }
    }
    for (const contestant of contestants) {
      figures.push(...(await pullEverything(round, contestant, workload)));
    }
    for (let turn = 0; turn < round.checks; turn += 1) {
      for (const contestant of rotated(contestants, turn)) {
        const { tool, machine, target } = contestant;
        const command = tool.checkData(machine, target);
        figures.push(await figureOf(round, contestant, 'check all', command));
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return figures;
}

const pushCommand = (who: Contestant, workload: Workload): Command =>
  who.tool.push(who.machine, who.target, workload);

/**
 * On a second machine, which has no cache. What comes back must be what was pushed. It stays until the round ends:
 * ext4 without a journal passes over every inode that was deleted within the last minutes, one by one for each new
 * file, and whoever pulled next would spend 16 s of system time on that instead of 2.
 */
async function pullEverything(
  round: Round,
  who: Contestant,
  workload: Workload,
): Promise<Figure[]> {
  const { tool, target } = who;
  const machine = { folder: join(round.folder, 'second-machines', tool.name) };
  const into = join(round.folder, 'pulled', tool.name);
  const intoOne = join(round.folder, 'pulled-one', tool.name);
  mkdirSync(machine.folder, { recursive: true });
  for (const command of tool.connect(machine, target)) await measure(command, round.folder);
  mkdirSync(into, { recursive: true });
  mkdirSync(intoOne, { recursive: true });
  const pull = tool.pull(machine, target, workload, into);
  const full = await figureOf(round, who, 'full pull', pull);
  assertSameFiles(workload, into, tool.name);
  const pullOne = tool.pullOne(machine, target, workload, intoOne);
  const one = await figureOf(round, who, 'one file', pullOne);
  if (countFiles(intoOne) !== 1)
    throw new Error(`${tool.name} restored ${countFiles(intoOne)} files, not one`);
  return [full, one];
}

async function figureOf(
  round: Round,
  who: Contestant,
  operation: Operation,
  command: Command,
): Promise<Figure> {
  const cost = await perform(round, command);
  const seconds = (cost.wallMs / 1000).toFixed(2);
  round.say(`  ${who.tool.name}, ${operation}: ${seconds} s`);
  const place = { tool: who.tool.name, workload: round.workload, operation };
  return { ...place, ...cost, storedBytes: sizeOf(who.storedIn) };
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
