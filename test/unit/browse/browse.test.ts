/** ls, find, diff and cat over a snapshot. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { asBytePath, showPath } from '../../../src/base/byte-path.ts';
import { FerryError, type ErrorCode } from '../../../src/base/errors.ts';
import { parseAddress, placeOf } from '../../../src/browse/address.ts';
import { fileAt } from '../../../src/browse/cat.ts';
import { diff } from '../../../src/browse/diff.ts';
import { find, matcher } from '../../../src/browse/find.ts';
import { ls } from '../../../src/browse/ls.ts';
import { cryptoReady } from '../../../src/crypto/sodium.ts';
import type { SnapshotReader } from '../../../src/repository/snapshot-reader.ts';
import { dir, file, link, snapshotOf } from './snapshot-double.ts';

before(() => cryptoReady());

const odd = { ...file('x', 'o'), path: asBytePath('odd\n\xff') };
const STATE = [
  file('openclaw.json', 'config'),
  dir('agents'),
  dir('agents/main'),
  file('agents/main/s.jsonl', 'session'),
  file('agents-old', ''),
  link('hardlink', 'twin', 'openclaw.json'),
  link('symlink', 'link', '/etc/passwd'),
  odd,
];
const snapshot = snapshotOf({
  state: { path: '/home/alice/.openclaw', entries: STATE },
  workspace: { path: '/home/alice/work', entries: [dir('notes'), file('notes/MEMORY.md', 'm')] },
  'workspace-2': { path: '/home/alice/.openclaw/inner', entries: [file('MEMORY.md', 'n')] },
});

async function names(
  listed: AsyncGenerator<{ root: string; entry: { path: string } }>,
): Promise<string[]> {
  const all: string[] = [];
  for await (const { root, entry } of listed)
    all.push(`${root}/${showPath(asBytePath(entry.path))}`);
  return all;
}

async function refuses(work: () => Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof FerryError, String(error));
    assert.equal(error.code, code);
    return true;
  });
}

describe('an address', () => {
  test('is a snapshot, and perhaps a path', () => {
    assert.deepEqual(parseAddress('latest'), { snapshot: 'latest', path: undefined });
    assert.deepEqual(parseAddress('3f:'), { snapshot: '3f', path: undefined });
    assert.deepEqual(parseAddress('3f:a:b'), { snapshot: '3f', path: 'a:b' });
    assert.deepEqual(parseAddress(':state'), { snapshot: '', path: 'state' });
  });

  const PLACES: readonly (readonly [string, string, string])[] = [
    ['state', 'state', ''],
    ['state/', 'state', ''],
    ['state//agents/./main/', 'state', 'agents/main'],
    ['/home/alice/.openclaw', 'state', ''],
    ['/home/alice/.openclaw/agents', 'state', 'agents'],
    ['/home/alice/.openclaw/inner/MEMORY.md', 'workspace-2', 'MEMORY.md'],
    ['/home/alice/work/notes/', 'workspace', 'notes'],
  ];
  for (const [typed, root, below] of PLACES) {
    test(typed, () => {
      const place = placeOf(snapshot.body, typed);
      assert.equal(place.root.name, root);
      assert.equal(place.below, below);
    });
  }

  for (const typed of ['nowhere', '/home/alice', '/home/alice/.openclaws', 'stat']) {
    test(`${typed} is in no root`, () =>
      refuses(() => Promise.resolve().then(() => placeOf(snapshot.body, typed)), 'path-not-found'));
  }
});

describe('ls', () => {
  test('one level below a directory', async () => {
    assert.deepEqual(await names(ls(snapshot, 'state', false)), [
      'state/agents',
      'state/agents-old',
      'state/link',
      'state/odd\\x0a\\xff',
      'state/openclaw.json',
      'state/twin',
    ]);
  });

  test('everything below', async () => {
    assert.deepEqual(await names(ls(snapshot, 'state/agents', true)), [
      'state/agents/main',
      'state/agents/main/s.jsonl',
    ]);
    assert.equal((await names(ls(snapshot, undefined, true))).length, 11);
  });

  test('a file is itself, also by the name that ls shows', async () => {
    assert.deepEqual(await names(ls(snapshot, 'state/openclaw.json', false)), [
      'state/openclaw.json',
    ]);
    const shown = 'state/odd\\x0a\\xff';
    assert.deepEqual(await names(ls(snapshot, shown, false)), [shown]);
  });

  test('what is not there is refused', () =>
    refuses(() => names(ls(snapshot, 'state/no', false)), 'path-not-found'));
});

describe('find', () => {
  const CASES: readonly (readonly [string, readonly string[]])[] = [
    ['MEMORY.md', ['workspace/notes/MEMORY.md', 'workspace-2/MEMORY.md']],
    ['*.json*', ['state/agents/main/s.jsonl', 'state/openclaw.json']],
    ['state/agents/**', ['state/agents/main', 'state/agents/main/s.jsonl']],
    ['workspace*/MEMORY.md', ['workspace-2/MEMORY.md']],
    ['agents/', ['state/agents']],
    ['nothing', []],
  ];
  for (const [pattern, expected] of CASES) {
    test(pattern, async () =>
      assert.deepEqual(await names(find(snapshot, matcher(pattern))), expected),
    );
  }
  for (const pattern of ['', '#x', '!x', 'a//b']) {
    test(`"${pattern}" is no pattern`, () =>
      refuses(() => Promise.resolve().then(() => matcher(pattern)), 'usage'));
  }
});

describe('cat', () => {
  test('a file, and a second name of it', async () => {
    assert.equal((await fileAt(snapshot, 'state/openclaw.json')).size, 6);
    assert.equal((await fileAt(snapshot, 'state/twin')).path, 'openclaw.json');
  });
  test('no directory, no link, nothing that is not there', async () => {
    await refuses(() => fileAt(snapshot, 'state/agents'), 'usage');
    await refuses(() => fileAt(snapshot, 'state/link'), 'usage');
    await refuses(() => fileAt(snapshot, 'state/no'), 'path-not-found');
  });
});

describe('diff', () => {
  const changed = [
    ...STATE.filter(({ path }) => path !== 'agents-old' && path !== 'openclaw.json'),
    file('openclaw.json', 'other!'),
    file('new', 'n'),
  ];
  const after = snapshotOf({
    state: { path: '/home/bob/.openclaw', entries: changed },
    extra: { path: '/x', entries: [] },
  });
  const lines = async (
    from: SnapshotReader,
    to: SnapshotReader,
    path?: string,
  ): Promise<string[]> => {
    const all: string[] = [];
    for await (const one of diff({ snapshot: from, path }, { snapshot: to, path: undefined })) {
      all.push(`${one.change} ${one.root}/${showPath(one.path)} ${one.what.join(',')}`.trim());
    }
    return all;
  };

  test('nothing between a snapshot and itself', async () =>
    assert.deepEqual(await lines(snapshot, snapshot), []));

  test('added, removed, changed, in path order; whole roots too', async () => {
    assert.deepEqual(await lines(snapshot, after), [
      'removed state/agents-old',
      'added state/new',
      'changed state/openclaw.json content',
      'removed workspace/',
      'removed workspace/notes',
      'removed workspace/notes/MEMORY.md',
      'removed workspace-2/',
      'removed workspace-2/MEMORY.md',
      'added extra/',
    ]);
  });

  test('below one path of both', async () => {
    assert.deepEqual(await lines(snapshot, after, 'state/agents'), []);
    assert.deepEqual(await lines(snapshot, after, 'state/openclaw.json'), [
      'changed state/openclaw.json content',
    ]);
    await refuses(() => lines(snapshot, after, 'state/no'), 'path-not-found');
  });

  const one = (entry: ReturnType<typeof file>): SnapshotReader =>
    snapshotOf({ state: { path: '/s', entries: [entry] } });
  const ASPECTS: readonly (readonly [string, ReturnType<typeof file>, string])[] = [
    ['mode', file('f', 'a', { mode: 0o600 }), 'changed state/f mode'],
    ['owner', file('f', 'a', { owner: 'bob' }), 'changed state/f owner'],
    ['mtime', file('f', 'a', { mtimeNs: 11n }), 'changed state/f mtime'],
    ['size', file('f', 'aa'), 'changed state/f content'],
    ['content of the same size', file('f', 'b'), 'changed state/f content'],
    ['type', link('symlink', 'f', 'a'), 'changed state/f type'],
  ];
  for (const [name, entry, expected] of ASPECTS) {
    test(name, async () =>
      assert.deepEqual(await lines(one(file('f', 'a')), one(entry)), [expected]),
    );
  }

  test('ids under different keys are not compared', async () => {
    const other = snapshotOf(
      { state: { path: '/s', entries: [file('f', 'b')] } },
      Buffer.alloc(32, 1),
    );
    assert.deepEqual(await lines(one(file('f', 'a')), other), []);
  });
});
