/** Root pulls into a home whose owner is hostile and quick: folders on its way become links to folders of root. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  cpSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { FerryError } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { CLOSED_PORT } from '../support/ports.ts';
import { engineFolder } from '../support/engine.ts';
import {
  hideOldHome,
  landingWorld,
  pullInto,
  pushHome,
  QUIET,
  type LandingWorld,
} from '../support/landing.ts';
import { writeSmallInstall } from '../support/small-install.ts';

const skip = process.getuid?.() === 0 ? false : 'only root can be tricked like this';
const SOMEBODY = 12_345;

type Scene = { readonly world: LandingWorld; readonly home: string; readonly system: string };

async function scene(context: TestContext): Promise<Scene> {
  const folder = engineFolder(context);
  chmodSync(folder, 0o755);
  const world = await landingWorld(folder);
  writeSmallInstall(world.oldHome, CLOSED_PORT);
  await pushHome(world);
  hideOldHome(world);
  const home = join(folder, 'new/home/mallory');
  const system = join(folder, 'system');
  for (const made of [join(home, 'my things'), system]) mkdirSync(made, { recursive: true });
  // Anybody may walk through these, whatever the umask here.
  for (const open of ['new', 'new/home', 'system']) chmodSync(join(folder, open), 0o755);
  for (const theirs of ['', 'my things']) give(join(home, theirs));
  return { world, home, system };
}

const give = (path: string): void => lchownSync(path, SOMEBODY, SOMEBODY);

/** A link of theirs where a folder was. */
function becomesLink(folder: string, to: string): void {
  renameSync(folder, `${folder}.away`);
  symlinkSync(to, folder);
  give(folder);
}

/** Everything of root's that could have been changed. */
const stateOf = (system: string): unknown =>
  readdirSync(system, { recursive: true, encoding: 'utf8' })
    .toSorted()
    .map((name) => {
      const stat = lstatSync(join(system, name));
      const content = stat.isFile() ? readFileSync(join(system, name), 'utf8') : '';
      return [name, stat.uid, stat.mode, content];
    });

async function attacked(
  { world, home, system }: Scene,
  moment: (event: FerryEvent) => boolean,
  attack: () => void,
): Promise<void> {
  let before: unknown;
  let times = 0;
  const onEvent = (event: FerryEvent): void => {
    if (!moment(event) || times++ > 0) return;
    attack();
    before = stateOf(system);
  };
  const owner = { uid: SOMEBODY, gid: SOMEBODY };
  const own = [
    { from: join(world.oldHome, 'my things/work space'), to: join(home, 'my things/new/space') },
    { from: '/nowhere', to: join(home, 'nowhere') },
  ];
  const pulled = pullInto(world, { home, owner, own, ...QUIET, onEvent });
  const outcome = await pulled.catch((error: unknown) => error);
  assert.equal(times, 1);
  assert.deepEqual(stateOf(system), before);
  assert.ok(outcome instanceof FerryError, 'it did not become a pull');
  assert.equal(outcome.code, 'target-unsafe', outcome.message);
}

const isStage =
  (stage: string) =>
  (event: FerryEvent): boolean =>
    event.type === 'stage' && event.stage === stage;

/** What is to be edited is known: that a rule changes nothing is said then. */
const isPlanned = (event: FerryEvent): boolean =>
  event.type === 'notice' && event.code === 'map-unused';

/** Of the state dir. */
function stageIn(home: string): string {
  const stages = readdirSync(home).filter((name) => name.startsWith('.stateferry-stage-'));
  const own = stages.find((name) => existsSync(join(home, name, 'agents')));
  assert.ok(own !== undefined);
  return join(home, own);
}

for (const stage of ['download', 'finish']) {
  test(`the stage itself, while it is filled (${stage})`, { skip }, async (context) => {
    const at = await scene(context);
    for (const same of ['agents/main/sessions', 'tmp/ws']) {
      mkdirSync(join(at.system, same), { recursive: true });
    }
    await attacked(at, isStage(stage), () => becomesLink(stageIn(at.home), at.system));
  });
}

test('a folder of the stage, while paths are repaired in it', { skip }, async (context) => {
  const at = await scene(context);
  await attacked(at, isPlanned, () => {
    const sessions = join(stageIn(at.home), 'agents/main/sessions');
    cpSync(sessions, at.system, { recursive: true });
    becomesLink(sessions, at.system);
  });
});

test('a folder above a workspace, while it is swapped in', { skip }, async (context) => {
  const at = await scene(context);
  await attacked(at, isStage('swap'), () => becomesLink(join(at.home, 'my things'), at.system));
});
