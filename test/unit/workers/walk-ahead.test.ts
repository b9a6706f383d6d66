import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytePathFromText } from '../../../src/base/byte-path.ts';
import { FerryError } from '../../../src/base/errors.ts';
import { walkTree, type WalkItem } from '../../../src/fs/walk.ts';
import { omitRuleOf, type OmitSpec } from '../../../src/push/omit-spec.ts';
import { WalkAhead } from '../../../src/workers/walk-ahead.ts';
import { tempDir } from '../fs/temp-dir.ts';

const entry = new URL('../../../src/push/walk-thread.ts', import.meta.url);
const omit: OmitSpec = { kind: 'state', workspaces: [], inner: [], excluded: [] };

test('a walk on its own thread finds what a walk here finds, root by root', async (context) => {
  const folder = tempDir(context);
  const roots = ['one', 'gone', 'two'].map((name) => ({
    readFrom: bytePathFromText(join(folder, name)),
    omit,
  }));
  for (const [name, files] of [
    ['one', 1234],
    ['two', 3],
  ] as const) {
    mkdirSync(join(folder, name, 'sub'), { recursive: true });
    for (let at = 0; at < files; at++) writeFileSync(join(folder, name, 'sub', `${at}`), `${at}`);
    symlinkSync('sub/1', join(folder, name, 'link'));
    writeFileSync(join(folder, name, 'sub', 'left-out.pid'), '');
  }
  const walk = new WalkAhead(entry, roots, new AbortController().signal);
  try {
    for (const { readFrom } of roots) {
      const found: WalkItem[] = [];
      for await (const items of walk.next()) found.push(...items);
      assert.deepEqual(found, [...walkTree(readFrom, { omit: omitRuleOf(omit) })]);
    }
  } finally {
    await walk.close();
  }
});

test('nobody waits for a walk that was interrupted, or that is no more', async (context) => {
  const folder = tempDir(context);
  // More than it may be ahead.
  for (let at = 0; at < 6000; at++) writeFileSync(join(folder, `${at}`), '');
  const roots = [{ readFrom: bytePathFromText(folder), omit }];
  const isInterruption = (error: unknown): boolean =>
    error instanceof FerryError && error.code === 'interrupted';
  const interrupt = new AbortController();
  const interrupted = new WalkAhead(entry, roots, interrupt.signal);
  const items = interrupted.next();
  assert.equal((await items.next()).done, false);
  interrupt.abort();
  await assert.rejects(items.next(), isInterruption);
  await interrupted.close();
  const closed = new WalkAhead(entry, roots, new AbortController().signal);
  const rest = (async () => {
    for await (const batch of closed.next()) assert.ok(batch);
  })();
  const outcome = assert.rejects(rest, isInterruption);
  await closed.close();
  await outcome;
});

test('a thread that cannot begin is a bug that is told', async () => {
  const nowhere = new URL('no-such-thread.ts', entry);
  const walk = new WalkAhead(nowhere, [], new AbortController().signal);
  await assert.rejects(
    walk.next().next(),
    (error) => error instanceof FerryError && error.code === 'bug',
  );
  await walk.close();
});
