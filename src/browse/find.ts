/** Entries by pattern. */
import { asBytePath, joinBytes } from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import { omitMatching, parsePatterns } from '../fs/globs.ts';
import type { Entry } from '../format/entry.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import type { Listed } from './ls.ts';

export type Matcher = (root: string, entry: Entry) => boolean;

/**
 * A glob in the language of `--exclude`. One without `/` is tried on names at every depth; one with `/` on the whole
 * path, which begins with the name of the root.
 */
export function matcher(pattern: string): Matcher {
  const parsed = parsePatterns([pattern], 'find');
  if (parsed.length !== 1 || parsed.some((one) => one.takesBack)) {
    throw new FerryError('usage', 'the pattern says nothing to look for', {
      hint: "Give a name or a glob, as 'MEMORY.md' or 'state/agents/*/sessions/*.jsonl' (\\# for a leading #).",
    });
  }
  const matches = omitMatching(parsed);
  return (root, entry) =>
    matches(
      joinBytes(asBytePath(root), entry.path),
      entry.type === 'hardlink' ? 'file' : entry.type,
    ) !== undefined;
}

/** What matches in one snapshot, in path order. The roots themselves are not looked at. */
export async function* find(snapshot: SnapshotReader, isMatch: Matcher): AsyncGenerator<Listed> {
  for (const root of snapshot.body.roots) {
    for await (const entry of snapshot.entries(root)) {
      if (entry.path !== '' && isMatch(root.name, entry)) yield { root: root.name, entry };
    }
  }
}
