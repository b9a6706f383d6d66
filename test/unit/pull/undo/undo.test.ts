/** The way back of a swap: to the byte, once, and only where things are as the pull left them. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { journalsIn } from '../../../../src/pull/swap/journal.ts';
import { finishInterruptedSwaps } from '../../../../src/pull/swap/swap.ts';
import { discard } from '../../../../src/pull/undo/undo.ts';
import { pullIn, swapScene, undoIn, type Scene } from '../../../support/swap-scene.ts';
import { makeTree, scanTree } from '../../../support/tree.ts';
import { refusalOf } from '../../../support/refusal.ts';

function scene(context: TestContext): Scene {
  const made = swapScene();
  context.after(() => rmSync(made.folder, { recursive: true, force: true }));
  return made;
}

const discardIn = ({ journals }: Scene) =>
  discard(
    { journals, install: undefined, dryRun: false },
    { emit: () => {}, confirm: async () => {} },
  );

const stateOf = ({ journals }: Scene): string[] =>
  journalsIn(journals).map(({ journal }) => journal.state);

/** Nothing else is there than before the pull, but for what was pulled. */
function assertOthers({ home }: Scene): void {
  assert.equal(readFileSync(join(home, 'SOUL.md'), 'utf8'), 'of before');
  const others = readdirSync(home).filter((name) => !name.includes('.pulled-'));
  assert.deepEqual(others.toSorted(), ['SOUL.md', 'state']);
}

describe('undo', () => {
  test('puts back what was here, keeps what was pulled, and removes folders made on the way', async (context) => {
    const at = scene(context);
    const before = scanTree(join(at.home, 'state'));
    pullIn(at, '1');
    writeFileSync(join(at.home, 'state/agents/main/sessions/new.jsonl'), 'a new turn\n');
    const pulled = scanTree(join(at.home, 'state'));
    const undone = await undoIn(at);
    assert.ok(undone.plan);
    assert.deepEqual(scanTree(join(at.home, 'state')), before);
    assertOthers(at);
    assert.deepEqual(scanTree(join(at.home, 'state.pulled-now')), pulled);
    assert.equal(readFileSync(join(at.home, 'SOUL.md.pulled-now'), 'utf8'), 'of pull 1');
    assert.ok(existsSync(join(at.home, 'a-b-work.pulled-now/zero')));
    assert.deepEqual(stateOf(at), ['undone']);
    assert.equal(undone.plan.putBack.length, 2);
    assert.equal(undone.plan.pulled.length, 3);
    for (const { remove } of undone.plan.pulled) assert.match(remove, /^rm -rf '.*\.pulled-now'$/);
  });

  test('done twice, the second undoes nothing and says what became of the pull', async (context) => {
    const at = scene(context);
    pullIn(at, '1');
    await undoIn(at);
    const before = scanTree(at.home);
    const second = await undoIn(at);
    assert.ok(second.plan === undefined);
    assert.equal(second.last?.state, 'undone');
    assert.deepEqual(scanTree(at.home), before);
  });

  test('goes back pull by pull', async (context) => {
    const at = scene(context);
    const first = scanTree(join(at.home, 'state'));
    pullIn(at, '1');
    const second = scanTree(join(at.home, 'state'));
    pullIn(at, '2');
    await undoIn(at, { stamp: 'one' });
    assert.deepEqual(scanTree(join(at.home, 'state')), second);
    await undoIn(at, { stamp: 'two' });
    assert.deepEqual(scanTree(join(at.home, 'state')), first);
    assert.deepEqual(stateOf(at), ['undone', 'undone']);
  });

  test('a dry run changes nothing', async (context) => {
    const at = scene(context);
    pullIn(at, '1');
    const before = scanTree(at.folder);
    const { plan } = await undoIn(at, { dryRun: true });
    assert.equal(plan?.pulled.length, 3);
    assert.deepEqual(scanTree(at.folder), before);
  });

  test('a folder made on the way that is in use by now stays', async (context) => {
    const at = scene(context);
    pullIn(at, '1');
    writeFileSync(join(at.home, 'a/of-mine'), 'kept');
    await undoIn(at);
    assert.equal(readFileSync(join(at.home, 'a/of-mine'), 'utf8'), 'kept');
    assert.ok(!existsSync(join(at.home, 'a/b')));
  });

  test('a single file that was written anew, or removed, is undone all the same', async (context) => {
    for (const change of [
      (path: string) => {
        writeFileSync(`${path}.tmp`, 'by the gateway');
        renameSync(`${path}.tmp`, path);
      },
      (path: string) => rmSync(path),
    ]) {
      const at = scene(context);
      pullIn(at, '1');
      change(join(at.home, 'SOUL.md'));
      await undoIn(at);
      assert.equal(readFileSync(join(at.home, 'SOUL.md'), 'utf8'), 'of before');
    }
  });

  test('of an install that no pull is remembered of is refused', async (context) => {
    const at = scene(context);
    assert.equal((await undoIn(at)).plan, undefined);
    pullIn(at, '1');
    await refusalOf(undoIn(at, { install: 'resonix' }), 'install-not-found');
    assert.ok((await undoIn(at, { install: 'openclaw' })).plan);
  });
});

describe('undo refuses, and changes nothing', () => {
  const cases: Readonly<Record<string, (home: string) => void>> = {
    'when the pulled folder was replaced': (home) => {
      renameSync(join(home, 'state'), join(home, 'elsewhere'));
      makeTree(join(home, 'state'), 101);
    },
    'when the pulled folder was moved away': (home) =>
      renameSync(join(home, 'state'), join(home, 'elsewhere')),
    'when a folder stands where a file was placed': (home) => {
      rmSync(join(home, 'SOUL.md'));
      mkdirSync(join(home, 'SOUL.md'));
    },
    'when what was moved aside is gone': (home) =>
      rmSync(join(home, 'state.before-1'), { recursive: true }),
    'when something else has its name': (home) => {
      renameSync(join(home, 'state.before-1'), join(home, 'elsewhere'));
      mkdirSync(join(home, 'state.before-1'));
    },
  };
  for (const [name, change] of Object.entries(cases)) {
    test(name, async (context) => {
      const at = scene(context);
      pullIn(at, '1');
      change(at.home);
      const before = scanTree(at.folder);
      const error = await refusalOf(undoIn(at), 'target-unsafe');
      assert.match(error.message, /nothing was changed$/);
      assert.match(error.hint ?? '', /By hand.*mv /);
      assert.deepEqual(scanTree(at.folder), before);
    });
  }
});

describe('discard', () => {
  test('removes what every pull kept aside, and nothing else', async (context) => {
    const at = scene(context);
    pullIn(at, '1');
    pullIn(at, '2');
    const now = scanTree(join(at.home, 'state'));
    const kept = await discardIn(at);
    assert.equal(kept.flatMap(({ aside }) => aside).length, 5);
    assert.ok(kept.every(({ aside }) => aside.every(({ bytes }) => bytes > 0)));
    assert.deepEqual(scanTree(join(at.home, 'state')), now);
    assert.deepEqual(readdirSync(at.home).toSorted(), ['SOUL.md', 'a', 'state']);
    assert.deepEqual(stateOf(at), ['discarded', 'discarded']);
    const after = await undoIn(at);
    assert.ok(after.plan === undefined);
    assert.equal(after.last?.state, 'discarded');
    assert.deepEqual(await discardIn(at), []);
  });

  test('killed midway, it is finished by the next one, and by nothing else', async (context) => {
    const at = scene(context);
    pullIn(at, '1');
    const [one] = journalsIn(at.journals);
    assert.ok(one);
    const text = readFileSync(join(at.journals, '1.json'), 'utf8');
    writeFileSync(join(at.journals, '1.json'), text.replace('"done"', '"discarding"'));
    rmSync(join(at.home, 'state.before-1/agents'), { recursive: true });
    assert.deepEqual(finishInterruptedSwaps(at.journals), []);
    const undone = await undoIn(at);
    assert.ok(undone.plan === undefined);
    assert.equal(undone.last?.state, 'discarding');
    await discardIn(at);
    assert.ok(!existsSync(join(at.home, 'state.before-1')));
    assert.deepEqual(stateOf(at), ['discarded']);
  });

  test('what was put in its place meanwhile is not removed', async (context) => {
    const at = scene(context);
    pullIn(at, '1');
    renameSync(join(at.home, 'state.before-1'), join(at.home, 'elsewhere'));
    mkdirSync(join(at.home, 'state.before-1'));
    await discardIn(at);
    assert.ok(existsSync(join(at.home, 'state.before-1')));
    assert.ok(existsSync(join(at.home, 'elsewhere/openclaw.json')));
  });
});
