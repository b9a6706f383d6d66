/** The share of a pack that lives, as if headers and directories took nothing: here they are most of it. */
import type { IndexedPack } from '../../../src/format/index-object.ts';
import {
  livingBytesOf as count,
  type LivingChunks,
} from '../../../src/maintenance/repack/living-chunks.ts';

export * from '../../../src/maintenance/repack/living-chunks.ts';

export function livingBytesOf(pack: IndexedPack, isLiving: LivingChunks['has']): number {
  const all = count(pack, () => true);
  return all === 0 ? 0 : (pack.size * count(pack, isLiving)) / all;
}
