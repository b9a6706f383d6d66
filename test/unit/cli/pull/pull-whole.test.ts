/** What a person at a terminal is asked when the newest snapshot is not whole. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FerryError } from '../../../../src/base/errors.ts';
import type { Call } from '../../../../src/cli/verb.ts';
import { revokeMachine } from '../../../../src/maintenance/machines.ts';
import { pullWhole, type Pulling } from '../../../../src/cli/pull/pull-whole.ts';
import type { Session } from '../../../../src/cli/session.ts';
import type { ReaderRepository } from '../../../../src/repository/open.ts';
import { openSnapshot, type SnapshotReader } from '../../../../src/repository/snapshot-reader.ts';
import {
  allObjects,
  engineFolder,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  type Engine,
} from '../../../support/engine.ts';
import { makeTree } from '../../../support/tree.ts';

type Scene = Engine & { readonly reader: ReaderRepository; readonly snapshots: string[] };

/** Three snapshots; the packs of the last two are gone. */
async function makeScene(context: TestContext): Promise<Scene> {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 41, { bulkBytes: 100_000 });
  const snapshots: string[] = [];
  const before = new Set<string>();
  for (const word of ['first', 'second', 'third']) {
    writeFileSync(join(tree, 'word'), word);
    snapshots.push((await pushTree(engine.store, engine.machine, tree)).id);
    const packs = [...(await allObjects(engine.store, 'packs/')).keys()];
    if (snapshots.length === 1) for (const name of packs) before.add(name);
  }
  for (const name of (await allObjects(engine.store, 'packs/')).keys()) {
    if (!before.has(name)) await engine.store.delete(name, NO_ABORT);
  }
  return { ...engine, reader: await openReader(engine.store), snapshots };
}

type Asked = { readonly questions: string[]; readonly taken: string[] };

async function pullLatest(
  { reader }: Pick<Scene, 'reader'>,
  answer: string,
  options: { readonly yes?: boolean } = {},
  unreadable: readonly string[] = [],
): Promise<Asked> {
  const questions: string[] = [];
  const taken: string[] = [];
  const call: Call = { args: [undefined], options: { color: true, ...options } };
  // As much of a session as is used.
  const session = {
    options: call.options,
    emit: () => undefined,
    signal: NO_ABORT,
    terminal: {
      isThere: true,
      ask: (question: string) => {
        questions.push(question);
        return Promise.resolve(answer);
      },
    },
  } as unknown as Session;
  const snapshots = await listAll(reader);
  const newest = snapshots.at(-1);
  assert.ok(newest);
  const chosen = await openSnapshot(reader, newest, () => undefined, NO_ABORT);
  const pulling: Pulling = {
    session,
    call,
    reading: { repository: reader, snapshots, forgotten: new Map(), missing: [], unreadable },
    perform: (whole: readonly SnapshotReader[]) => {
      taken.push(...whole.map(({ cover }) => cover.id));
      return Promise.resolve([]);
    },
  };
  await pullWhole(pulling, [chosen]);
  return { questions, taken };
}

test('a yes takes the newest whole one, and nothing in between is asked for', async (context) => {
  const scene = await makeScene(context);
  const { questions, taken } = await pullLatest(scene, 'y');
  assert.deepEqual(taken, [scene.snapshots[0]]);
  assert.equal(questions.length, 1);
  assert.match(questions[0] ?? '', /is not whole: 1 pack is missing[^]*Take that one\? \[y\/N\]/);
});

test('a no ends it with the command to type', async (context) => {
  const scene = await makeScene(context);
  await assert.rejects(pullLatest(scene, ''), (error) => {
    assert.ok(error instanceof FerryError);
    assert.equal(error.exit, 15);
    const id = scene.snapshots[0]?.slice(0, 8);
    assert.ok(error.hint?.endsWith(`To take it: stateferry pull ${id}`), error.hint);
    return true;
  });
});

test('a yes that was said beforehand is not asked again, and not taken for one', async (context) => {
  const scene = await makeScene(context);
  await assert.rejects(pullLatest(scene, 'y', { yes: true }), /is not whole/);
});

test('garbage where a newer snapshot might be is asked about, but not of a revoked machine', async (context) => {
  const folder = engineFolder(context);
  const { store, machine } = await makeEngine(folder);
  const tree = join(folder, 'tree');
  makeTree(tree, 42);
  const { id } = await pushTree(store, machine, tree);
  const { writer } = machine.state;
  const garbage = [`snapshots/${writer.id}/${'0'.repeat(32)}`];
  const reader = await openReader(store);
  const { questions, taken } = await pullLatest({ reader }, 'y', {}, garbage);
  assert.equal(questions.length, 1);
  assert.match(questions[0] ?? '', /cannot be read, and may be newer/);
  assert.deepEqual(taken, [id]);

  const named = (await listAll(reader)).map(({ digest, cover }) => ({
    digest,
    sequence: cover.sequence,
  }));
  const [own] = reader.writers.keys();
  assert.ok(own);
  await revokeMachine(reader, own, named, NO_ABORT);
  const knowing = { reader: await openReader(store) };
  assert.deepEqual(await pullLatest(knowing, '', {}, garbage), { questions: [], taken: [id] });
});
