import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytePathFromText } from '../../../src/base/byte-path.ts';
import type { FerryEvent } from '../../../src/base/events.ts';
import type { ArchiveRoot } from '../../../src/push/archive-root.ts';
import { PushProgress } from '../../../src/push/progress.ts';
import { tempDir } from '../fs/temp-dir.ts';

test('totals are counted beside the work, and not at all where no root is to be counted', (context) => {
  const tree = join(tempDir(context), 'tree');
  mkdirSync(tree);
  for (const name of ['one', 'two', 'three']) writeFileSync(join(tree, name), name);
  const root: ArchiveRoot = {
    readFrom: bytePathFromText(tree),
    omit: { kind: 'data', workspaces: [], inner: [], excluded: [] },
    isSecret: () => false,
  };
  context.mock.timers.enable({ apis: ['setInterval', 'Date'] });
  for (const counted of [[root], []]) {
    const events: FerryEvent[] = [];
    const clock = { nowMs: () => Date.now(), sleep: () => Promise.resolve() };
    const progress = new PushProgress((event) => void events.push(event), clock, counted);
    Atomics.store(new BigInt64Array(progress.counters), 0, 5n);
    context.mock.timers.tick(2000);
    progress.end();
    const last = events.at(-1);
    assert.ok(last?.type === 'progress');
    assert.equal(last.totalsKnown, counted.length > 0);
    // The folder is an entry too.
    assert.equal(last.filesTotal, counted.length * 4);
    assert.equal(last.bytesTotal, counted.length > 0 ? 11 : 5);
  }
});
