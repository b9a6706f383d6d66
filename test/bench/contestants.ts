/** A tool with a place of its own: its machine, its repository, and what one command of it took. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { CountingProxy, Traffic } from './counting-proxy.ts';
import type { LineTraffic, SlowLine } from './line/slow-line.ts';
import { measure, type Command, type Measured } from './measure.ts';
import type { Machine, Target, Tool } from './tools.ts';
import type { Workload } from './workloads.ts';

export type Contestant = {
  readonly tool: Tool;
  readonly target: Target;
  /** Where its bytes lie on this disk. */
  readonly storedIn: string;
  readonly machine: Machine;
};

export type Arena = {
  /** Empty; removed afterwards. */
  readonly folder: string;
  /** A fresh target for one tool, and where its bytes lie on this disk. */
  makeTarget(tool: Tool): { readonly target: Target; readonly storedIn: string };
  /** Where it is present requests are counted; wall times mean little then. */
  readonly proxy?: CountingProxy;
  /** Where it is present everything passes through it. */
  readonly line?: SlowLine;
  readonly say: (line: string) => void;
};

export type Cost = Omit<Measured, 'stdout'> & {
  readonly traffic?: Traffic;
  readonly onLine?: LineTraffic;
};

export function enter(arena: Arena, tool: Tool): Contestant {
  const { target, storedIn } = arena.makeTarget(tool);
  const machine = { folder: join(arena.folder, 'machines', tool.name) };
  mkdirSync(machine.folder, { recursive: true });
  return { tool, target, storedIn, machine };
}

/** Makes its repository. */
export async function prepare(who: Contestant, workload: Workload, scratch: string): Promise<void> {
  for (const command of who.tool.init(who.machine, who.target, workload)) {
    await measure(command, scratch);
  }
  // The page cache is warm for everyone.
  spawnSync('tar', ['-cf', '/dev/null', workload.stateDir]);
}

export async function perform(arena: Arena, command: Command): Promise<Cost> {
  // Nobody pays for what the one before left to be written.
  spawnSync('sync');
  arena.proxy?.take();
  await arena.line?.take();
  const { wallMs, cpuMs, rssMaxBytes } = await measure(command, arena.folder);
  const traffic = arena.proxy?.take();
  const onLine = await arena.line?.take();
  return { wallMs, cpuMs, rssMaxBytes, ...(traffic && { traffic }), ...(onLine && { onLine }) };
}

/** Every file below a folder, with its size. */
export function filesBelow(folder: string): Map<string, number> {
  const said = execFileSync('find', [folder, '-type', 'f', '-printf', '%s %p\\n'], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  });
  const lines = said.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const at = line.indexOf(' ');
      return [line.slice(at + 1), Number(line.slice(0, at))];
    }),
  );
}

export const sizeOf = (folder: string): number =>
  [...filesBelow(folder).values()].reduce((sum, size) => sum + size, 0);

/** Whoever was first is last in the next round. */
export const rotated = <Item>(items: readonly Item[], round: number): Item[] => [
  ...items.slice(round % items.length),
  ...items.slice(0, round % items.length),
];
