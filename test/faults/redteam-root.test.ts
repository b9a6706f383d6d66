/** Root at work in somebody's home neither obeys what that somebody wrote nor builds on folders that are theirs. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { asBytePath, bytePathFromText } from '../../src/base/byte-path.ts';
import { FerryError } from '../../src/base/errors.ts';
import { createPlacer } from '../../src/fs/place.ts';
import { finishInterruptedSwaps } from '../../src/pull/swap/swap.ts';
import { raiseFence, requireSameService } from '../../src/gateway/services/fence.ts';
import { readEnvironment } from '../../src/settings/environment.ts';
import { handOver, placesOf, refuseLedElsewhere } from '../../src/settings/places.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can be tricked like this';
const SOMEBODY = 12_345;

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-root-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const isUnsafe = (error: unknown): boolean =>
  error instanceof FerryError && error.code === 'target-unsafe';

test('a journal that its reader did not write moves nothing', { skip }, (context) => {
  const folder = folderOf(context);
  const journals = join(folder, 'journals');
  for (const made of [journals, join(folder, 'precious')]) mkdirSync(made);
  writeFileSync(join(folder, 'evil'), 'runs as root');
  const steps = [
    { kind: 'discard', from: join(folder, 'precious') },
    { kind: 'place', from: join(folder, 'evil'), to: join(folder, 'cron.d-evil') },
  ];
  const counted = { agents: [], credentialFiles: 0, channels: [], cronJobs: 0, workspaces: [] };
  const gateway = { brand: 'openclaw', profile: 'default', stateDir: '', configPath: '', port: 1 };
  const moved = { placed: [], mapped: [], relocated: [], counted, gateway };
  const installs = [{ snapshot: 's', install: 'openclaw', ...moved }];
  const journal = { format: 1, time: '', stamp: '', state: 'swapping', installs, steps };
  const file = join(journals, 'one.json');
  writeFileSync(file, JSON.stringify(journal));
  chownSync(file, SOMEBODY, SOMEBODY);
  assert.throws(() => finishInterruptedSwaps(journals), isUnsafe);
  assert.ok(existsSync(join(folder, 'precious')));
  assert.ok(!existsSync(join(folder, 'cron.d-evil')));
  // Written by who reads it, the same is completed.
  chownSync(file, 0, 0);
  assert.equal(finishInterruptedSwaps(journals).length, 1);
  assert.ok(existsSync(join(folder, 'cron.d-evil')));
});

test(
  'folders of a stage that were given away are taken back before they are filled',
  { skip },
  (context) => {
    const folder = folderOf(context);
    const stage = join(folder, 'stage');
    mkdirSync(join(stage, 'a/b'), { recursive: true });
    for (const given of [stage, join(stage, 'a'), join(stage, 'a/b')]) {
      chownSync(given, SOMEBODY, SOMEBODY);
    }
    const placer = createPlacer({ stage: bytePathFromText(stage), setIdAllowed: false });
    placer.placeFile(asBytePath('a/b/file'), Buffer.from('content'), { mode: 0o600 });
    for (const taken of [stage, join(stage, 'a'), join(stage, 'a/b')]) {
      const { uid, mode } = statSync(taken);
      assert.deepEqual({ uid, mode: mode & 0o7777 & 0o022 }, { uid: 0, mode: 0 });
    }
    placer.close();
  },
);

test('a stage that somebody made a link is not filled', { skip }, (context) => {
  const folder = folderOf(context);
  const outside = join(folder, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'file'), 'of root');
  symlinkSync(outside, join(folder, 'stage'));
  const stage = bytePathFromText(join(folder, 'stage'));
  assert.throws(() => createPlacer({ stage, setIdAllowed: false }), isUnsafe);
  assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'of root');
  assert.equal(statSync(outside).uid, 0);
});

test(
  'what root hands over to somebody is only what lies in their own folder',
  { skip },
  (context) => {
    const folder = folderOf(context);
    const owner = { uid: SOMEBODY, gid: SOMEBODY };
    const [system, theirs] = [join(folder, 'system'), join(folder, 'theirs')];
    for (const made of [system, theirs, join(theirs, 'made')]) mkdirSync(made);
    writeFileSync(join(system, 'shadow'), 'of root');
    const leads = join(folder, 'leads');
    symlinkSync(system, leads);
    lchownSync(leads, SOMEBODY, SOMEBODY);
    handOver(leads, owner);
    assert.equal(
      statSync(join(system, 'shadow')).uid,
      0,
      'a folder of theirs that leads elsewhere',
    );
    chownSync(theirs, SOMEBODY, SOMEBODY);
    symlinkSync(system, join(theirs, 'folder'));
    symlinkSync(join(system, 'shadow'), join(theirs, 'file'));
    linkSync(join(system, 'shadow'), join(theirs, 'second-name'));
    for (const name of ['one', 'made/two']) writeFileSync(join(theirs, name), 'of ours');
    handOver(theirs, owner);
    assert.equal(statSync(system).uid, 0);
    assert.equal(statSync(join(system, 'shadow')).uid, 0);
    for (const name of ['one', 'made', 'made/two']) {
      assert.equal(statSync(join(theirs, name)).uid, SOMEBODY, name);
    }
  },
);

test(
  'a fence is raised with the rights of its user, and over a service that is theirs',
  { skip },
  async (context) => {
    const folder = folderOf(context);
    const [home, system] = [join(folder, 'home'), join(folder, 'system')];
    const units = join(home, '.config/systemd/user');
    for (const made of [system, units]) mkdirSync(made, { recursive: true });
    symlinkSync(system, join(units, 'a.service.d'));
    for (const given of [home, join(home, '.config'), join(home, '.config/systemd'), units]) {
      chownSync(given, SOMEBODY, SOMEBODY);
    }
    chmodSync(folder, 0o755);
    const request = {
      file: join(folder, 'fence'),
      why: 'why',
      back: 'stateferry handoff openclaw --cancel',
      home,
      uid: SOMEBODY,
    };
    const ended = { exit: 0, signal: null, durationMs: 1, timedOut: false, truncated: false };
    const answer = { ...ended, stdout: '', stderr: '' };
    const deps = {
      cliDeps: { run: () => Promise.resolve(answer), env: {} },
      emit: () => undefined,
    };
    const signal = new AbortController().signal;
    const service = {
      kind: 'systemd',
      name: 'a.service',
      isOfSystem: false,
      wasEnabled: true,
    } as const;
    await assert.rejects(
      raiseFence({ service }, request, deps, signal),
      (error) => error instanceof FerryError && error.code === 'file-write',
    );
    assert.deepEqual(readdirSync(system), []);
    await raiseFence({ service: { ...service, name: 'b.service' } }, request, deps, signal);
    const made = join(units, 'b.service.d/zz-stateferry-fence.conf');
    assert.equal(statSync(made).uid, SOMEBODY);

    const planted = { service: { ...service, name: 'ssh.service', isOfSystem: true } };
    const found = { kind: 'systemd', name: 'a.service', environmentNames: [] } as const;
    for (const path of ['/etc/systemd/system/a.service', join(units, 'ssh.service')]) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      assert.throws(
        () => requireSameService(planted, { ...found, name, path }, { home }),
        isUnsafe,
      );
    }
    assert.throws(() => requireSameService(planted, undefined, { home }), isUnsafe);
  },
);

test(
  'settings that a link of somebody leads to a folder of root are refused',
  { skip },
  (context) => {
    const folder = folderOf(context);
    const home = join(folder, 'home');
    const theirs = join(folder, 'disk');
    const roots = join(folder, 'etc');
    for (const made of [home, join(home, '.config'), theirs, roots]) mkdirSync(made);
    for (const given of [home, theirs]) chownSync(given, SOMEBODY, SOMEBODY);
    const look = (): void => {
      const owner = { uid: SOMEBODY, gid: SOMEBODY };
      const own = readEnvironment(home);
      const environment = { ...own, variables: {}, own: { ...own.own, home: undefined }, owner };
      refuseLedElsewhere(environment, placesOf(environment));
    };
    // Root's own folder, without any link: made by an earlier run that was root's.
    look();
    symlinkSync(theirs, join(home, '.config/stateferry'));
    look();
    symlinkSync(roots, join(home, '.cache'));
    assert.throws(look, isUnsafe);
  },
);
