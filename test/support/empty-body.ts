/** What a snapshot says of an install that has nothing in it. */
import type { SnapshotBody } from '../../src/format/snapshot.ts';

export const emptyBody = (tool: string): SnapshotBody => ({
  tool,
  install: {
    install: 'openclaw',
    brand: 'openclaw',
    profile: 'default',
    version: null,
    platform: 'linux',
    home: '/home/mara',
  },
  roots: [],
  omissions: [],
  problems: [],
  gateway: {},
});
