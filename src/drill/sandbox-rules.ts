/**
 * Where a sandbox has what does not lie in the home of the old machine. The product's commands follow what the config
 * says: whatever they could write to must lie in the sandbox, even where the snapshot has nothing of it.
 */
import { parseShownPath } from '../base/byte-path.ts';
import type { SnapshotBody } from '../format/snapshot.ts';
import { isWithin, stripTrailing } from '../gateway/disk/paths.ts';
import { namesIn } from '../gateway/disk/read.ts';
import { gatewayRecordSchema } from '../gateway/install/record.ts';
import type { PathRule } from '../gateway/relocate/path-map.ts';

/** @param elsewhere the folder of the sandbox that stands for the root of the file system */
export function rulesIntoSandbox(body: SnapshotBody, elsewhere: string): PathRule[] {
  const { home } = body.install;
  const isInHome = (path: string): boolean => stripTrailing(home) !== '' && isWithin(home, path);
  return [...new Set([...rootsOf(body), ...topFolders()])]
    .filter((path) => !isInHome(path))
    .map((path) => ({ from: path, to: elsewhere + asBelow(path) }));
}

function rootsOf({ roots, gateway }: SnapshotBody): string[] {
  const record = gatewayRecordSchema.safeParse(gateway);
  const more = record.success ? record.data.roots.flatMap(({ aliases }) => aliases) : [];
  return [...roots.map(({ path }) => path), ...more].map((shown) =>
    Buffer.from(parseShownPath(shown), 'latin1').toString('utf8'),
  );
}

/** Whatever is there on this machine, but for what holds programs and is nobody's to write to. */
const topFolders = (): string[] =>
  namesIn('/')
    .filter((name) => !PROGRAMS.has(name))
    .map((name) => `/${Buffer.from(name, 'latin1').toString('utf8')}`);

const PROGRAMS = new Set(
  'bin boot dev lib lib32 lib64 libx32 nix proc sbin snap sys usr Applications Library System'.split(
    ' ',
  ),
);

/** A path of Windows too is one of names between slashes here. */
const asBelow = (path: string): string =>
  path.startsWith('/') ? path : `/${path.replaceAll('\\', '/').replaceAll(':', '')}`;
