/** What questions about ten thousand snapshots cost: for the first time, again, and after a few more pushes. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { perform, type Arena, type Cost } from './contestants.ts';
import { makeCrowd } from './crowd.ts';
import { KEEP_RULES, type OurTool } from './tools.ts';

const QUESTIONS = {
  snapshots: ['snapshots'],
  'forget --dry-run': ['forget', '--dry-run', ...KEEP_RULES],
  'prune --dry-run': ['prune', '--dry-run'],
} as const;

export type CrowdPlay = Arena & {
  readonly ours: OurTool;
  readonly snapshots: number;
  readonly packs: number;
};

export type CrowdFigure = Cost & {
  readonly question: string;
  readonly when: string;
  readonly snapshots: number;
  readonly packs: number;
};

const LATER = { snapshots: 20, packs: 10 };

export async function playCrowd(play: CrowdPlay): Promise<CrowdFigure[]> {
  const { ours, snapshots, packs } = play;
  const { target, storedIn } = play.makeTarget(ours);
  const crowd = await makeCrowd(join(storedIn, ours.name));
  await crowd.grow(snapshots, packs);
  const figures: CrowdFigure[] = [];
  const ask = async (when: string): Promise<void> => {
    for (const [question, words] of Object.entries(QUESTIONS)) {
      // Each with a cache of its own.
      const machine = { folder: join(play.folder, words[0]) };
      mkdirSync(machine.folder, { recursive: true });
      const cost = await perform(play, ours.ask(machine, target, words));
      play.say(`${question}, ${when}: ${(cost.cpuMs / 1000).toFixed(2)} s of CPU`);
      figures.push({ ...cost, question, when, snapshots: crowd.snapshots, packs: crowd.packs });
    }
  };
  await ask('for the first time');
  await ask('again');
  await crowd.grow(LATER.snapshots, LATER.packs);
  await ask(`after ${LATER.snapshots} more`);
  return figures;
}
