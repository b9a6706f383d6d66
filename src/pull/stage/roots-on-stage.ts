/** The roots of an install as they lie in its stages, with the folders of them that have a stage of their own. */
import { stagedRoots } from '../../gateway/relocate/staged-roots.ts';
import type { StagedRoot } from '../../gateway/relocate/staged-roots.ts';
import type { Landing } from '../plan/landing.ts';

export function rootsOnStage({ record, placement }: Landing): StagedRoot[] {
  const stages = new Map(placement.roots.map(({ name, stage }) => [name, stage]));
  const folders = placement.roots.filter(({ below }) => below !== '');
  return [
    ...stagedRoots(record, stages),
    ...folders.map(({ from, stage }) => ({ path: from, aliases: [], at: stage })),
  ];
}
