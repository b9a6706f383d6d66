/** Archives that mean harm: refused, and nothing outside the stage is touched. */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { archiveOf, END, extractRaw, member, paxMember, readRaw } from './raw-tar.ts';

const evil = Buffer.from('evil');

/** A stage with something beside it that must stay as it is. */
function guarded(context: TestContext): { readonly stage: string; readonly check: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-hostile-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(`${folder}/outside`);
  writeFileSync(`${folder}/outside/canary`, 'alive');
  return {
    stage: `${folder}/stage`,
    check: () => {
      assert.deepEqual(readdirSync(`${folder}/outside`), ['canary']);
      assert.equal(readFileSync(`${folder}/outside/canary`, 'utf8'), 'alive');
      assert.ok(readdirSync(folder).every((name) => name === 'outside' || name === 'stage'));
    },
  };
}

describe('names that lead out', () => {
  const names: readonly (readonly [string, Buffer])[] = [
    ['a parent', member({ name: '../outside/canary', content: evil })],
    ['a parent in the middle', member({ name: 'a/../../outside/canary', content: evil })],
    ['a parent as a directory', member({ name: 'a/..', type: '5' })],
    ['an absolute name', member({ name: '/tmp/outside', content: evil })],
    [
      'an absolute name in pax',
      Buffer.concat([paxMember({ path: '/tmp/x' }), member({ name: 'a', content: evil })]),
    ],
    [
      'a parent in pax',
      Buffer.concat([paxMember({ path: 'a/../..' }), member({ name: 'a', content: evil })]),
    ],
    [
      'a NUL in pax',
      Buffer.concat([paxMember({ path: 'a\0b' }), member({ name: 'a', content: evil })]),
    ],
    [
      'a GNU long name',
      Buffer.concat([
        member({ name: 'l', type: 'L', content: Buffer.from('../outside/x\0') }),
        member({ name: 'a' }),
      ]),
    ],
    [
      'a long component',
      Buffer.concat([paxMember({ path: 'x'.repeat(256) }), member({ name: 'a' })]),
    ],
    ['a hard link to a parent', member({ name: 'a', type: '1', link: '../outside/canary' })],
    ['a hard link to an absolute path', member({ name: 'a', type: '1', link: '/etc/passwd' })],
    ['a device', member({ name: 'a', type: '3' })],
    ['a block device', member({ name: 'a', type: '4' })],
    ['a symbolic link to nowhere', member({ name: 'a', type: '2' })],
  ];
  for (const [what, bytes] of names) {
    test(what, async (context) => {
      const { stage, check } = guarded(context);
      await assert.rejects(extractRaw(archiveOf(bytes), stage), { code: 'target-unsafe' });
      check();
    });
  }
});

describe('writing through a link', () => {
  const link = member({ name: 'a', type: '2', link: '../outside' });
  const cases: readonly (readonly [string, Buffer])[] = [
    ['a file below it', archiveOf(link, member({ name: 'a/canary', content: evil }))],
    ['a directory in its place', archiveOf(link, member({ name: 'a/', type: '5' }))],
    ['a directory below it', archiveOf(link, member({ name: 'a/b/', type: '5' }))],
    ['a link below it', archiveOf(link, member({ name: 'a/b', type: '2', link: 'x' }))],
    [
      'a hard link to a file behind it',
      archiveOf(link, member({ name: 'b', type: '1', link: 'a/canary' })),
    ],
    ['a hard link to the link', archiveOf(link, member({ name: 'b', type: '1', link: 'a' }))],
    [
      'a link of a link',
      archiveOf(
        link,
        member({ name: 'b', type: '2', link: 'a' }),
        member({ name: 'b/canary', content: evil }),
      ),
    ],
  ];
  for (const [what, bytes] of cases) {
    test(what, async (context) => {
      const { stage, check } = guarded(context);
      await assert.rejects(extractRaw(bytes, stage), { code: 'target-unsafe' });
      check();
    });
  }

  test('a file in the place of a link replaces the link', async (context) => {
    const { stage, check } = guarded(context);
    const toCanary = member({ name: 'a', type: '2', link: '../outside/canary' });
    await extractRaw(archiveOf(toCanary, member({ name: 'a', content: evil })), stage);
    assert.equal(readFileSync(`${stage}/a`, 'utf8'), 'evil');
    check();
  });

  test('a file in the place of a hard link leaves the other file alone', async (context) => {
    const { stage } = guarded(context);
    const first = member({ name: 'a', content: Buffer.from('first') });
    const linked = member({ name: 'b', type: '1', link: 'a' });
    await extractRaw(archiveOf(first, linked, member({ name: 'b', content: evil })), stage);
    assert.equal(readFileSync(`${stage}/a`, 'utf8'), 'first');
  });
});

describe('sizes', () => {
  test('more than there is room for is refused before it is written', async (context) => {
    const { stage } = guarded(context);
    const huge = archiveOf(member({ name: 'huge', size: 8 ** 11 - 1, content: evil }));
    await assert.rejects(extractRaw(huge, stage), { code: 'no-space' });
    assert.deepEqual(readdirSync(stage), []);
  });

  test('the sum counts, not each file', async (context) => {
    const { stage } = guarded(context);
    const parts = Array.from({ length: 11 }, (_, index) =>
      member({ name: `f${index}`, content: Buffer.alloc(100_000) }),
    );
    await assert.rejects(extractRaw(archiveOf(...parts), stage), { code: 'no-space' });
  });

  test('a size in pax that is no size', async () => {
    for (const size of ['-1', 'x', '1e300']) {
      const bytes = archiveOf(paxMember({ size }), member({ name: 'a', content: evil }));
      await assert.rejects(readRaw(bytes), { code: 'object-damaged' });
    }
  });

  test('a file that a bomb of gzip unpacks to', async (context) => {
    const { stage } = guarded(context);
    const content = Buffer.alloc(20_000_000);
    const bomb = gzipSync(archiveOf(member({ name: 'zeros', content })));
    assert.ok(bomb.length < 100_000);
    await assert.rejects(extractRaw(bomb, stage), { code: 'no-space' });
  });

  test('endless zeros after the end, and endless headers', async () => {
    const zeros = gzipSync(Buffer.concat([member({ name: 'a' }), Buffer.alloc(20_000_000)]));
    await assert.rejects(readRaw(zeros), { code: 'object-damaged', message: /too much between/ });
    const comment = paxMember({ comment: 'x'.repeat(1_000_000) });
    const headers = archiveOf(...Array.from({ length: 12 }, () => comment), member({ name: 'a' }));
    await assert.rejects(readRaw(headers), { code: 'object-damaged' });
    const large = archiveOf(paxMember({ comment: 'x'.repeat(5_000_000) }), member({ name: 'a' }));
    await assert.rejects(readRaw(large), { code: 'object-damaged' });
  });
});

describe('damage', () => {
  const whole = archiveOf(
    member({ name: 'a', content: evil }),
    member({ name: 'b', content: evil }),
  );
  const cases: readonly (readonly [string, Buffer])[] = [
    ['cut in a file', whole.subarray(0, 514)],
    ['cut between two files', whole.subarray(0, 1024)],
    ['cut gzip', gzipSync(whole).subarray(0, 60)],
    ['no tar', Buffer.from('this is a letter, not an archive\n'.repeat(40))],
    ['nothing at all', Buffer.alloc(0)],
    ['xz', Buffer.from('fd377a585a000004e6d6b446', 'hex')],
    ['bzip2', Buffer.from('425a6839314159265359', 'hex')],
    ['zip', Buffer.from('504b030414000000', 'hex')],
    [
      'a broken pax record',
      archiveOf(
        member({ name: 'p', type: 'x', content: Buffer.from('99 path=a\n') }),
        member({ name: 'a' }),
      ),
    ],
    ['a sparse file in an old form', archiveOf(member({ name: 'a', type: 'S' }))],
    ['an unknown type', archiveOf(member({ name: 'a', type: 'Z' }))],
    ['a hard link to nothing', archiveOf(member({ name: 'a', type: '1', link: 'b' }))],
  ];
  for (const [what, bytes] of cases) {
    test(what, async (context) => {
      const { stage } = guarded(context);
      await assert.rejects(extractRaw(bytes, stage), { code: 'object-damaged' });
    });
  }

  test('a wrong checksum', async () => {
    const spoilt = Buffer.from(whole);
    spoilt[0] = 0x7a;
    await assert.rejects(readRaw(spoilt), { code: 'object-damaged' });
  });

  test('zeros alone are an archive of nothing', async () => {
    assert.deepEqual(await readRaw(END), []);
  });
});

test('no setuid arrives, and the stage is private', async (context) => {
  const { stage } = guarded(context);
  const program = member({ name: 'program', mode: 0o6755, content: evil });
  await extractRaw(archiveOf(member({ name: './', type: '5', mode: 0o700 }), program), stage);
  assert.equal(statSync(`${stage}/program`).mode & 0o7777, 0o755);
  assert.equal(statSync(stage).mode & 0o777, 0o700);
});
