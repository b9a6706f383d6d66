/** The swap: a crash between any two steps leaves something that the next run finishes. */
import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { bytePathFromText } from '../../../../src/base/byte-path.ts';
import { FerryError } from '../../../../src/base/errors.ts';
import { identityOf } from '../../../../src/fs/identity.ts';
import { interruptedInstalls, type Journal } from '../../../../src/pull/swap/journal.ts';
import { finishInterruptedSwaps, swap } from '../../../../src/pull/swap/swap.ts';

type Move = { readonly kind: 'aside' | 'place'; readonly from: string; readonly to: string };
type Scene = { readonly folder: string; readonly journals: string; readonly moves: Move[] };

/** Two roots with something in their place, one without. */
function scene(context: TestContext): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-journal-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string): string => join(folder, name);
  const put = (name: string, text: string): void => {
    mkdirSync(at(name));
    writeFileSync(join(at(name), 'who'), text);
  };
  for (const name of ['state', 'workspace']) put(name, 'old');
  for (const name of ['state', 'workspace', 'extra']) put(`${name}.stage`, 'new');
  const moves = ['state', 'workspace', 'extra'].flatMap((name): Move[] => [
    ...(name === 'extra'
      ? []
      : [{ kind: 'aside' as const, from: at(name), to: at(`${name}.old`) }]),
    { kind: 'place', from: at(`${name}.stage`), to: at(name) },
  ]);
  const journals = at('journals');
  mkdirSync(journals);
  return { folder, journals, moves };
}

function assertAllNew({ folder }: Scene): void {
  const who = (name: string): string => readFileSync(join(folder, name, 'who'), 'utf8');
  for (const name of ['state', 'workspace', 'extra']) assert.equal(who(name), 'new');
  for (const name of ['state', 'workspace']) assert.equal(who(`${name}.old`), 'old');
  assert.ok(!existsSync(join(folder, 'extra.old')));
}

const counted = { agents: [], credentialFiles: 0, channels: [], cronJobs: 0, workspaces: [] };
const gateway = { brand: 'openclaw', profile: 'default', stateDir: '', configPath: '', port: 1 };
const REST = {
  time: '2026-11-21T08:00:00.000Z',
  installs: ['openclaw', 'openclaw:work'].map((install) => ({
    snapshot: 'a'.repeat(32),
    install,
    placed: [],
    mapped: [],
    relocated: [],
    counted,
    gateway,
  })),
  stamp: '20261121-080000',
} satisfies Partial<Journal>;

const journalFile = ({ journals }: Scene): string => join(journals, 'one.json');

/** As it lies on the disk while a swap is under way. */
const swappingText = ({ moves }: Scene): string =>
  JSON.stringify({ format: 1, state: 'swapping', ...REST, steps: moves });

test('a swap without a crash leaves all new, all old aside, and a finished journal', (context) => {
  const at = scene(context);
  const steps = at.moves.map(({ kind, from, to }) => ({
    kind,
    from: bytePathFromText(from),
    to: bytePathFromText(to),
  }));
  const done = swap(bytePathFromText(journalFile(at)), { ...REST, steps });
  assert.equal(done.state, 'done');
  assertAllNew(at);
  assert.deepEqual(finishInterruptedSwaps(at.journals), []);
});

test('a crash after any number of steps is finished by the next run', (context) => {
  const count = scene(context).moves.length;
  for (let done = 0; done <= count; done++) {
    const at = scene(context);
    writeFileSync(journalFile(at), swappingText(at));
    for (const { from, to } of at.moves.slice(0, done)) if (existsSync(from)) renameSync(from, to);
    assert.deepEqual(interruptedInstalls(at.journals), ['openclaw', 'openclaw:work']);
    assert.equal(finishInterruptedSwaps(at.journals).length, 1);
    assertAllNew(at);
    // A run that did everything but say so in the journal.
    writeFileSync(journalFile(at), swappingText(at));
    assert.equal(finishInterruptedSwaps(at.journals).length, 1);
    assertAllNew(at);
  }
});

test('what came into being at the place meanwhile is not overwritten', (context) => {
  const at = scene(context);
  writeFileSync(journalFile(at), swappingText(at));
  renameSync(join(at.folder, 'state'), join(at.folder, 'state.old'));
  mkdirSync(join(at.folder, 'state'));
  writeFileSync(join(at.folder, 'state/who'), 'the gateway');
  assert.throws(
    () => finishInterruptedSwaps(at.journals),
    (error) => error instanceof FerryError && error.code === 'target-unsafe',
  );
  assert.equal(readFileSync(join(at.folder, 'state/who'), 'utf8'), 'the gateway');
  assert.equal(readFileSync(join(at.folder, 'state.old/who'), 'utf8'), 'old');
  // It is still half done, and is so until that has been moved away.
  assert.deepEqual(interruptedInstalls(at.journals), ['openclaw', 'openclaw:work']);
  rmSync(join(at.folder, 'state'), { recursive: true });
  assert.equal(finishInterruptedSwaps(at.journals).length, 1);
  assertAllNew(at);
});

test('a stage that vanished is no stage that was placed', (context) => {
  const at = scene(context);
  const steps = at.moves.map(({ kind, from, to }) => ({
    kind,
    from: bytePathFromText(from),
    to: bytePathFromText(to),
    identity: identityOf(bytePathFromText(from)),
  }));
  rmSync(join(at.folder, 'workspace.stage'), { recursive: true });
  assert.throws(
    () => swap(bytePathFromText(journalFile(at)), { ...REST, steps }),
    (error) => error instanceof FerryError && /vanished/.test(error.message),
  );
  for (const name of ['state', 'workspace']) {
    assert.equal(readFileSync(join(at.folder, name, 'who'), 'utf8'), 'old');
    assert.ok(!existsSync(join(at.folder, `${name}.old`)));
  }
  assert.deepEqual(finishInterruptedSwaps(at.journals), []);
});

test('a journal of another version is left alone and named', (context) => {
  const at = scene(context);
  writeFileSync(journalFile(at), JSON.stringify({ format: 2 }));
  assert.throws(() => finishInterruptedSwaps(at.journals), /one\.json/);
  assert.deepEqual(finishInterruptedSwaps(join(at.folder, 'nowhere')), []);
});
