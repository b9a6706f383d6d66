/** Root pushes what somebody owns, who puts a link in the place of a folder between the walk and the reading. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bytePathFromText } from '../../src/base/byte-path.ts';
import { walkTree } from '../../src/fs/walk.ts';
import { archiveInstall } from '../../src/push/archive-install.ts';
import { pushFilled } from '../../src/push/push.ts';
import {
  asWriter,
  engineFolder,
  listAll,
  makeEngine,
  NO_ABORT,
  openReader,
  PACK_BYTES,
  pushSource,
  restoreTo,
} from '../support/engine.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can be tricked like this';
const SOMEBODY = 12_345;

test('what a link leads to is not taken for what was there', { skip }, async (context) => {
  const folder = engineFolder(context);
  chmodSync(folder, 0o755);
  const engine = await makeEngine(folder);
  const [tree, system] = [join(folder, 'tree'), join(folder, 'system')];
  for (const made of [join(tree, 'notes'), system]) mkdirSync(made, { recursive: true });
  writeFileSync(join(tree, 'notes/shadow'), 'of theirs');
  writeFileSync(join(tree, 'other'), 'untouched');
  writeFileSync(join(system, 'shadow'), 'for root alone', { mode: 0o600 });
  for (const theirs of ['', 'notes', 'notes/shadow', 'other']) {
    lchownSync(join(tree, theirs), SOMEBODY, SOMEBODY);
  }
  const walk = {
    async *next() {
      const items = [...walkTree(bytePathFromText(tree))];
      renameSync(join(tree, 'notes'), join(tree, 'notes.away'));
      symlinkSync(system, join(tree, 'notes'));
      yield items;
    },
  };
  const { store, machine } = engine;
  const source = pushSource('openclaw', [{ tree }]);
  const pushed = await asWriter(store, machine, NO_ABORT, async (deps) => {
    const archiveDeps = {
      cache: deps.repository.cache,
      emit: deps.emit,
      scratch: machine.scratch,
      walk,
    };
    const filling = {
      install: 'openclaw',
      label: undefined,
      packBytes: PACK_BYTES,
      totals: [],
      fill: async (line: Parameters<typeof archiveInstall>[1]) => ({
        tool: 'test',
        ...(await archiveInstall(source, line, archiveDeps, NO_ABORT)),
      }),
    };
    return await pushFilled(filling, deps, NO_ABORT);
  });
  assert.deepEqual(pushed.problems, [{ path: 'state/notes/shadow', code: 'replaced' }]);
  const reader = await openReader(store);
  const [snapshot] = await listAll(reader);
  assert.ok(snapshot);
  const out = join(folder, 'out');
  await restoreTo(reader, snapshot, out);
  assert.equal(readFileSync(join(out, 'other'), 'utf8'), 'untouched');
  assert.throws(() => readFileSync(join(out, 'notes/shadow')), { code: 'ENOENT' });
});
