/** Every operation once on a large install: what each takes, and above all how much memory it holds. */
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { perform, type Arena, type Cost } from './contestants.ts';
import { age } from './days.ts';
import { measure, type Command } from './measure.ts';
import type { Machine, OurTool, Target } from './tools.ts';
import { makeWorkload, type Workload } from './workloads.ts';

/** Together 10 GB and 200 000 files. */
const PARTS = { gateway: 7.1, 'many-small': 0.55 } as const;
/** Two grace periods of prune. */
const WEEKS_LATER = 28;

export type LargePlay = Arena & {
  readonly ours: OurTool;
  readonly seed: number;
  readonly scale: number;
};

export type LargeFigure = Cost & { readonly operation: string };

type Scene = LargePlay & {
  readonly machine: Machine;
  readonly target: Target;
  readonly figures: LargeFigure[];
};

export async function playLarge(play: LargePlay): Promise<LargeFigure[]> {
  const { folder, ours, say } = play;
  const home = join(folder, 'home');
  const machine = { folder: join(folder, 'machine') };
  mkdirSync(machine.folder, { recursive: true });
  const { target, storedIn } = play.makeTarget(ours);
  const scene: Scene = { ...play, machine, target, figures: [] };
  const workload = makeLarge(play, home, play.seed);
  say(`${workload.files} files, ${(workload.bytes / 1e9).toFixed(1)} GB`);
  for (const command of ours.init(machine, target, workload)) await measure(command, folder);
  await pushes(scene, workload);
  await questions(scene);
  await restores(scene, workload);
  await otherPlaces(scene);
  // Half of the notes are others now, so old packs are half dead.
  makeWorkload('many-small', { home, seed: play.seed + 1, scale: noteScale(play) / 2 });
  workload.passDay?.();
  await take(scene, 'push, much changed', ours.push(machine, target, workload));
  await cleaning(scene, storedIn);
  return scene.figures;
}

const noteScale = ({ scale }: LargePlay): number => PARTS['many-small'] * scale;

function makeLarge(play: LargePlay, home: string, seed: number): Workload {
  const notes = makeWorkload('many-small', { home, seed, scale: noteScale(play) });
  const gateway = makeWorkload('gateway', { home, seed, scale: PARTS.gateway * play.scale });
  const [files, bytes] = [notes.files + gateway.files, notes.bytes + gateway.bytes];
  return { ...gateway, files, bytes };
}

async function pushes(scene: Scene, workload: Workload): Promise<void> {
  const { ours, machine, target } = scene;
  const push = ours.push(machine, target, workload);
  await take(scene, 'push, the first', push);
  await take(scene, 'push, nothing changed', push);
  workload.passDay?.();
  await take(scene, 'push, a day later', push);
}

async function questions(scene: Scene): Promise<void> {
  await ask(scene, ['snapshots']);
  await ask(scene, ['ls', 'latest']);
  await ask(scene, ['find', '*.md']);
  await ask(scene, ['diff', 'latest~1', 'latest']);
  await ask(scene, ['check']);
  await ask(scene, ['check', '--read-data']);
}

async function restores(scene: Scene, workload: Workload): Promise<void> {
  const { folder, ours, machine, target } = scene;
  const into = join(folder, 'restored');
  await take(scene, 'pull --into', ours.pull(machine, target, workload, into));
  rmSync(into, { recursive: true });
  const sandbox = join(folder, 'sandbox');
  mkdirSync(sandbox);
  await ask(scene, ['drill', '--folder', sandbox], 'drill');
  rmSync(sandbox, { recursive: true });
  await take(scene, 'export', toNowhere(ours.ask(machine, target, ['export', 'latest', '-'])));
}

async function otherPlaces(scene: Scene): Promise<void> {
  const { folder, ours, machine, target } = scene;
  const source = ours.location(target);
  const disk = join(folder, 'disk');
  await take(scene, 'mirror', ours.run(machine, target, ['mirror', source, disk]));
  rmSync(disk, { recursive: true });
  const init = ['init', disk, '--kit', join(machine.folder, 'kit-of-the-copy.txt')];
  await measure(ours.run(machine, target, init), folder);
  await take(scene, 'copy', ours.run(machine, target, ['copy', source, disk, 'latest']));
  rmSync(disk, { recursive: true });
}

async function cleaning(scene: Scene, storedIn: string): Promise<void> {
  await ask(scene, ['forget', '--keep-last', '1', '--yes'], 'forget');
  age(storedIn, WEEKS_LATER);
  await ask(scene, ['prune', '--repack', '--yes'], 'prune --repack');
  age(storedIn, WEEKS_LATER);
  await ask(scene, ['prune', '--yes'], 'prune');
  await ask(scene, ['repair']);
  await ask(scene, ['repair', '--read-data']);
}

const ask = (scene: Scene, words: readonly string[], name = words.join(' ')): Promise<void> =>
  take(scene, name, scene.ours.ask(scene.machine, scene.target, words));

async function take(scene: Scene, operation: string, command: Command): Promise<void> {
  const cost = await perform(scene, command);
  const rss = (cost.rssMaxBytes / 2 ** 20).toFixed(0);
  scene.say(`${operation}: ${rss} MiB, ${(cost.cpuMs / 1000).toFixed(1)} s of CPU`);
  scene.figures.push({ ...cost, operation });
}

/** What goes to stdout would lie on the disk once more. */
const toNowhere = ({ argv, env }: Command): Command => ({
  argv: ['sh', '-c', 'exec "$@" >/dev/null', 'sh', ...argv],
  env,
});
