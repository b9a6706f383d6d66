/**
 * A pull in a process of its own that is killed before the n-th change that its swap makes to the disk:
 * `landing-child.ts '{"world":…,"home":…,"killBefore":n}'`. It prints how many changes there were if it lived.
 */
import { openFolderStore } from '../../src/store/folder-store.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { killBefore } from './kill-before.ts';
import { openReader } from './engine.ts';
import { pullInto, QUIET, type LandingWorld } from './landing.ts';

export type ChildWish = {
  readonly folder: string;
  readonly repository: string;
  readonly home: string;
  readonly stamp: string;
  readonly killBefore: number;
  readonly snapshot?: string;
};

const wish = JSON.parse(process.argv[2] ?? '{}') as ChildWish;
const counter = killBefore(wish.killBefore);

const onEvent = (event: FerryEvent): void => {
  if (event.type === 'stage' && event.stage === 'swap') counter.start();
  // The first check comes when everything is in its place.
  if (event.type === 'check') counter.stop();
};

const store = await openFolderStore(wish.repository);
const world = { ...wish, store, reader: await openReader(store) };
await pullInto(world as unknown as LandingWorld, {
  home: wish.home,
  ...(wish.snapshot !== undefined && { snapshot: wish.snapshot }),
  stamp: wish.stamp,
  onEvent,
  ...QUIET,
});
process.stdout.write(`${counter.count()}\n`);
