/** Who does what on which day, and what happens to a process meanwhile: its machine sleeps, or it is killed. */
import { FerryError } from '../../src/base/errors.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import type { Bucket, Fate } from './bucket.ts';
import type { Dice } from './dice.ts';
import { DAY_MS, HOUR_MS, Process, type World } from './world.ts';

export const START_MS = Date.UTC(2026, 0, 1);

export type Habits = {
  /** Of a store operation. */
  readonly kill: number;
  readonly sleep: number;
  /** Longest sleep. */
  readonly sleepDays: number;
  /** How often somebody deletes the cache. */
  readonly cacheLost: number;
  /** How often a night brings no push at all. */
  readonly skips: number;
  /** How often somebody makes a ticket after it. */
  readonly handsOff: number;
};

export type Work = (way: ObjectStore, process: Process) => Promise<void>;

/** What is done every so many days. */
export type Routine = {
  readonly name: string;
  readonly firstDay: number;
  readonly days: number;
  readonly habits: Habits;
  readonly work: Work;
  /** Nothing breaks off on its way to who does it: what is damaged then lies damaged in the store. */
  readonly hasGoodLine?: boolean;
};

export class Calendar {
  readonly #world: World;
  readonly #bucket: Bucket;
  readonly #dice: Dice;

  constructor(world: World, bucket: Bucket, dice: Dice) {
    this.#world = world;
    this.#bucket = bucket;
    this.#dice = dice;
  }

  /** Starts a process every `days` days, unless the one before still runs. */
  add({ name, firstDay, days, habits, work, hasGoodLine = false }: Routine): void {
    const dice = this.#dice.fork(`${name} runs`);
    const skewMs = dice.pick([0, 0, -3, 3, 26, -400 * 24]) * HOUR_MS;
    let isRunning = false;
    const start = (): void => {
      if (isRunning || dice.chance(habits.skips)) return;
      isRunning = true;
      const process = new Process(this.#world, skewMs, () => {
        isRunning = false;
      });
      const fate = { ...this.#fateOf(habits, dice), hasGoodLine };
      const way = this.#bucket.wayFor(process, fate);
      void work(way, process).then(
        () => process.end(),
        (error: unknown) => {
          process.end();
          this.#ended(name, process, error);
        },
      );
    };
    const next = (day: number): void => {
      const atMs = START_MS + day * DAY_MS + dice.integer(0, 6 * HOUR_MS);
      this.#world.at(atMs, () => {
        start();
        next(day + days);
      });
    };
    next(firstDay);
  }

  /** A run may give up when the network does, or when its machine slept while what it had stored was taken away. */
  #ended(name: string, process: Process, error: unknown): void {
    const code = error instanceof FerryError ? error.code : undefined;
    const tookMs = this.#world.nowMs - process.startedMs;
    if (code === 'store-unreachable' || (code === 'object-missing' && tookMs > 8 * DAY_MS)) return;
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#world.fail(`${name} ended with ${said}`);
  }

  #fateOf(habits: Habits, dice: Dice): Omit<Fate, 'hasGoodLine'> {
    return {
      sleepsMs: (operation) => {
        // Where it is most dangerous it happens most: between the steps of a commit, of a sweep, of repacking.
        const chance = CRITICAL.test(operation) ? habits.sleep : habits.sleep / 10;
        if (!dice.chance(chance)) return 0;
        const isLong = dice.chance(0.6);
        this.#world.count(isLong ? 'long sleeps' : 'naps');
        return isLong ? dice.fraction() * habits.sleepDays * DAY_MS : dice.skewed(60_000, DAY_MS);
      },
      isKilled: () => {
        if (!dice.chance(habits.kill)) return false;
        this.#world.count('kills');
        return true;
      },
    };
  }
}

const CRITICAL =
  /^(list (tombstones|packs)|get tombstones|head (lists|$)|put (snapshots|tombstones|repacks)|delete packs)/;
