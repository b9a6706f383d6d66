/** What a snapshot says of an install, where a test asks for nothing else of it. */
import type { SnapshotBody } from '../../src/format/snapshot.ts';

type BareRoot = { readonly name?: string; readonly path: string; readonly files?: number };

/**
 * @param home of the old machine's user
 * @param roots whose trees nobody reads: their pages are not there
 */
export const bareBody = (home: string, roots: readonly BareRoot[] = []): SnapshotBody => ({
  tool: 'test',
  install: {
    install: 'openclaw',
    brand: 'openclaw',
    profile: 'default',
    version: null,
    platform: 'linux',
    home,
  },
  roots: roots.map(({ name, path, files = 0 }, index) => ({
    name: name ?? `root-${index}`,
    kind: 'workspace',
    path,
    page: '0'.repeat(64),
    files,
    bytes: files,
  })),
  omissions: [],
  problems: [],
  gateway: {},
});
