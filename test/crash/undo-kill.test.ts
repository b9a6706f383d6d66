/** Killed before every change that a swap, an undo and a discard make: what was here is whole, and a rerun finishes. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { journalsIn } from '../../src/pull/swap/journal.ts';
import { finishInterruptedSwaps } from '../../src/pull/swap/swap.ts';
import { discard } from '../../src/pull/undo/undo.ts';
import { pullIn, swapScene, undoIn, type Scene } from '../support/swap-scene.ts';
import type { SwapChildWish } from '../support/swap-child.ts';
import { scanTree } from '../support/tree.ts';

const child = join(import.meta.dirname, '../support/swap-child.ts');
/** The swap itself; its journal is written before and after it, by a rename each. */
const CHANGES_MIN = 12;

type Looked = ReturnType<typeof scanTree>;

/** What a person had here, by name and to the byte, without what pulls brought. */
function ownTree({ home }: Scene): Looked {
  const tree = scanTree(home);
  tree.delete('');
  for (const name of tree.keys()) {
    if (/^(stage-|[^/]*\.pulled-)/.test(name)) tree.delete(name);
  }
  return tree;
}

/**
 * @param before what the child finds
 * @param after what must be so after its end, whenever that came
 */
async function killEverywhere(
  verb: SwapChildWish['verb'],
  before: (scene: Scene) => void,
  after: (scene: Scene, own: Looked) => Promise<void>,
): Promise<void> {
  for (let killBefore = 0; ; killBefore++) {
    const scene = swapScene();
    try {
      const own = ownTree(scene);
      before(scene);
      const wish = JSON.stringify({ scene, verb, killBefore } satisfies SwapChildWish);
      const result = spawnSync(process.execPath, [child, wish], { encoding: 'utf8' });
      if (result.signal !== 'SIGKILL') {
        assert.equal(result.status, 0, result.stderr);
        assert.equal(Number(result.stdout), killBefore, 'every change was tried');
        assert.ok(killBefore >= CHANGES_MIN, `${killBefore} changes`);
        return;
      }
      await after(scene, own);
    } finally {
      rmSync(scene.folder, { recursive: true, force: true });
    }
  }
}

test('a swap that was killed is undone, whether it had begun or was done', async () => {
  let undone = 0;
  await killEverywhere(
    'swap',
    () => {},
    async (scene, own) => {
      if ((await undoIn(scene)).plan) undone += 1;
      assert.deepEqual(ownTree(scene), own);
      assert.equal((await undoIn(scene)).plan, undefined);
    },
  );
  assert.ok(undone >= CHANGES_MIN - 5, `${undone} were undone`);
});

test('an undo that was killed is finished by the next undo', async () => {
  await killEverywhere(
    'undo',
    (scene) => void pullIn(scene, '1'),
    async (scene, own) => {
      await undoIn(scene, { stamp: 'again' });
      assert.deepEqual(ownTree(scene), own);
      const pulled = readdirSync(scene.home).filter((name) => name.includes('.pulled-'));
      assert.equal(pulled.length, 3, 'what was pulled is kept, all of it');
      assert.deepEqual(
        journalsIn(scene.journals).map(({ journal }) => journal.state),
        ['undone'],
      );
    },
  );
});

test('an undo that was killed is finished by the next pull, or had not begun', async () => {
  let finished = 0;
  await killEverywhere(
    'undo',
    (scene) => void pullIn(scene, '1'),
    async (scene, own) => {
      finished += finishInterruptedSwaps(scene.journals).length;
      const [one] = journalsIn(scene.journals);
      if (one?.journal.state === 'undone') {
        assert.deepEqual(ownTree(scene), own);
      } else {
        assert.equal(one?.journal.state, 'done');
        assert.ok(existsSync(join(scene.home, 'state.before-1/openclaw.json')));
        assert.ok(existsSync(join(scene.home, 'a/b/work/openclaw.json')));
      }
    },
  );
  assert.ok(finished >= CHANGES_MIN - 5, `${finished} were finished`);
});

test('a discard that was killed is finished by the next one', async () => {
  await killEverywhere(
    'discard',
    (scene) => void pullIn(scene, '1'),
    async (scene) => {
      const now = scanTree(join(scene.home, 'state'));
      const request = { journals: scene.journals, install: undefined, dryRun: false };
      await discard(request, { emit: () => {}, confirm: async () => {} });
      assert.deepEqual(scanTree(join(scene.home, 'state')), now);
      assert.deepEqual(readdirSync(scene.home).toSorted(), ['SOUL.md', 'a', 'state']);
      assert.equal((await undoIn(scene)).plan, undefined);
    },
  );
});
