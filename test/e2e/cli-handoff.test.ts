/** A move with a ticket over a folder, which needs the folder and no addresses. */
import { join } from 'node:path';
import { describe } from 'node:test';
import { describeHandoff } from './handoff-suite.ts';

describe('a ticket of a folder', () => {
  describeHandoff('folder', async (folder) => ({
    location: join(folder, 'repository'),
    credentials: {},
  }));
});
