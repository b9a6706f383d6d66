/** What an export says of each root, in the comment of its folder: enough to bring it back. */
import { z } from 'zod';
import type { SnapshotBody, SnapshotRoot } from '../format/snapshot.ts';

const text = z.string().max(20_000);

const exportedRootSchema = z.object({
  stateferry: z.literal('root'),
  name: text,
  kind: text,
  /** Absolute, escaped as `showPath` does; `home` likewise. */
  path: text,
  home: text,
  version: text.nullable(),
  platform: text,
});
export type ExportedRoot = z.infer<typeof exportedRootSchema>;

export function printExportedRoot(root: SnapshotRoot, install: SnapshotBody['install']): string {
  const { name, kind, path } = root;
  const { home, version, platform } = install;
  return JSON.stringify(
    exportedRootSchema.parse({ stateferry: 'root', name, kind, path, home, version, platform }),
  );
}

/** Undefined for anybody else's comment. */
export function parseExportedRoot(comment: string): ExportedRoot | undefined {
  if (!comment.startsWith('{')) return undefined;
  try {
    return exportedRootSchema.safeParse(JSON.parse(comment)).data;
  } catch {
    // Other tools write comments too.
    return undefined;
  }
}
