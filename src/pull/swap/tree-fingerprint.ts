/** Whether trees are as they were: a hash over names, kinds, modes, sizes and times. What is in a file is not read. */
import type { BytePath } from '../../base/byte-path.ts';
import { toHex } from '../../base/bytes.ts';
import { blake2b256 } from '../../crypto/sodium.ts';
import { walkTree, type WalkItem, type WalkRules } from '../../fs/walk.ts';

export function fingerprintTrees(
  trees: readonly BytePath[],
  rulesOf: (tree: BytePath) => WalkRules = () => ({}),
): string {
  let hash = blake2b256(Buffer.alloc(0));
  for (const tree of trees) {
    for (const item of walkTree(tree, rulesOf(tree))) {
      hash = blake2b256(Buffer.concat([hash, Buffer.from(lineOf(tree, item), 'latin1')]));
    }
  }
  return toHex(hash);
}

function lineOf(root: BytePath, item: WalkItem): string {
  if (item.kind !== 'entry') return item.kind === 'problem' ? `${root}/${item.path}\0?` : '';
  const { path, type, mode, size, mtimeNs, linkTarget = '' } = item;
  // A folder's own time changes with whatever is left out in it.
  const content = type === 'dir' ? '' : `${size} ${mtimeNs} ${linkTarget}`;
  return `${root}/${path}\0${type} ${mode} ${content}`;
}
