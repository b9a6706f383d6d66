/** A process is killed with SIGKILL at every store operation of a push into a folder. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { machineStateSchema } from '../../src/repository/machine.ts';
import { openFolderStore } from '../../src/store/folder-store.ts';
import {
  engineFolder,
  listAll,
  makeEngine,
  openReader,
  pushTree,
  restoreTo,
} from '../support/engine.ts';
import { makeTree, treeDifferences } from '../support/tree.ts';

const CHILD = join(import.meta.dirname, 'push-child.ts');

test('kill -9 at every store operation loses nothing', async (context) => {
  const folder = engineFolder(context);
  const at = (name: string): string => join(folder, name);
  mkdirSync(at('pristine'));
  const engine = await makeEngine(folder, await openFolderStore(at('pristine'), {}));
  const tree = at('tree');
  makeTree(tree, 5, { bulkBytes: 1_200_000 });
  const { scratch } = engine.machine;

  const child = (stopAt: number, when: string): { signal: string | null; said: string } => {
    for (const name of ['repo', 'cache']) rmSync(at(name), { recursive: true, force: true });
    cpSync(at('pristine'), at('repo'), { recursive: true });
    writeFileSync(at('state.json'), JSON.stringify(engine.machine.state));
    const args = [at('repo'), at('state.json'), at('cache'), tree, scratch, String(stopAt), when];
    const ended = spawnSync(process.execPath, [CHILD, ...args], { encoding: 'utf8' });
    return { signal: ended.signal, said: ended.stdout + ended.stderr };
  };

  const reader = await openReader(engine.store);
  let killed = 0;
  for (; ; killed++) {
    const number = killed + 1;
    const when = number % 2 === 0 ? 'before' : 'after';
    const what = `killed ${when} operation ${number}`;
    const { signal, said } = child(number, when);
    // Packs are stored side by side, so a push may have one operation more or less than another.
    if (signal === null && Number(said) < number) break;
    assert.equal(signal, 'SIGKILL', `${what}: ${said}`);

    const store = await openFolderStore(at('repo'), {});
    const state = machineStateSchema.parse(JSON.parse(readFileSync(at('state.json'), 'utf8')));
    const machine = { ...engine.machine, state, cache: at('cache'), events: [] };
    const pushed = await pushTree(store, machine, tree);
    const newest = (await listAll({ ...reader, store })).at(-1);
    assert.equal(newest?.id, pushed.id, what);
    assert.ok(newest);
    rmSync(at('out'), { recursive: true, force: true });
    const restored = await restoreTo({ ...reader, store }, newest, at('out'));
    assert.deepEqual(restored.problems, [], what);
    assert.deepEqual(treeDifferences(tree, at('out')), [], what);
  }
  assert.ok(killed >= 8, `a push is made of several operations: ${killed}`);
});
