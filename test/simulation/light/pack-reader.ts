/** Names of packs that are put together once: a push asks for those of all that it knows. */
import type { ListedPack } from '../../../src/format/pack-list.ts';
import { packName as put } from '../../../src/repository/pack-reader.ts';

export * from '../../../src/repository/pack-reader.ts';

const names = new WeakMap<ListedPack, string>();

export function packName(pack: ListedPack): string {
  const known = names.get(pack);
  if (known !== undefined) return known;
  const name = put(pack);
  names.set(pack, name);
  return name;
}
