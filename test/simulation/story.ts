/** Two years in the life of a repository, told by a seed: who pushes when, who sleeps, and who comes late. */
import { toBase64, toHex, concatBytes } from '../../src/base/bytes.ts';
import { FerryError } from '../../src/base/errors.ts';
import { identityFromSeed, publicHalves, type Identity } from '../../src/crypto/identity.ts';
import { HEADER_NAME } from '../../src/format/names.ts';
import { encodeRepositoryHeader } from '../../src/format/repository-header.ts';
import { writerOf, type MachineState } from '../../src/repository/machine.ts';
import { makeWriterRecord } from '../../src/repository/writers.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { Bucket, type Fate, type Weather } from './bucket.ts';
import { Content } from './content.ts';
import { diceOf, type Dice } from './dice.ts';
import { Ledger } from './ledger.ts';
import { Machine } from './machine.ts';
import { Maintainer } from './maintainer.ts';
import { DAY_MS, HOUR_MS, Process, World } from './world.ts';

const START_MS = Date.UTC(2026, 0, 1);

export type StoryOptions = {
  readonly days: number;
  /** A rule broken on purpose: what a machine or a maintainer sees of the store. */
  readonly breakMachine?: (way: ObjectStore) => ObjectStore;
  readonly breakMaintainer?: (way: ObjectStore) => ObjectStore;
};

export type Told = {
  /** Undefined: every step was as it must be. */
  readonly wrong: string | undefined;
  readonly pushes: number;
  readonly prunes: number;
  readonly prunesStopped: number;
  /** Packs and pack lists that are gone. */
  readonly swept: number;
  readonly operations: number;
  readonly kills: number;
};

export async function tell(seed: string, options: StoryOptions): Promise<Told> {
  const story = new Story(seed, options);
  await story.world.run(START_MS + options.days * DAY_MS);
  return story.told();
}

type Rules = { readonly graceMs: number; readonly keepLast: number };

type Habits = {
  /** Of a store operation. */
  readonly kill: number;
  readonly sleep: number;
  /** Longest sleep. */
  readonly sleepDays: number;
  /** How often a night brings no push at all. */
  readonly skips: number;
};

class Story {
  readonly world = new World(START_MS);
  readonly #options: StoryOptions;
  readonly #dice: Dice;
  readonly #bucket: Bucket;
  readonly #ledger: Ledger;
  readonly identity: Identity;
  readonly repository: string;
  readonly #machines: Machine[] = [];
  readonly #maintainers: Maintainer[] = [];
  readonly #running = new Map<Process, Machine>();
  #kills = 0;
  #swept = 0;

  constructor(seed: string, options: StoryOptions) {
    this.#options = options;
    this.#dice = diceOf(seed);
    const weather = weatherOf(this.#dice.fork('weather'));
    this.#bucket = new Bucket(this.world, this.#dice.fork('bucket'), weather, {
      stored: (name, bytes, by) => this.#seeStored(name, bytes, by),
      deleted: (name) => {
        if (/^(packs|lists)\//.test(name)) this.#swept += 1;
        this.#ledger.deleted(name);
      },
    });
    this.identity = identityFromSeed(this.#dice.noise(32));
    this.repository = toHex(this.#dice.noise(16));
    this.#ledger = new Ledger(
      this.world,
      this.repository,
      () => this.#bucket,
      () => undefined,
    );
    this.#bucket.put(HEADER_NAME, encodeRepositoryHeader(this.repository));
    this.#begin();
  }

  told(): Told {
    return {
      wrong: this.world.wrong,
      pushes: this.#machines.reduce((sum, { pushesDone }) => sum + pushesDone, 0),
      prunes: this.#maintainers.reduce((sum, { prunesDone }) => sum + prunesDone, 0),
      prunesStopped: this.#maintainers.reduce((sum, { prunesStopped }) => sum + prunesStopped, 0),
      swept: this.#swept,
      operations: this.#bucket.operations,
      kills: this.#kills,
    };
  }

  #begin(): void {
    const dice = this.#dice.fork('people');
    const steady = { kill: 0.0005, sleep: 0.0002, sleepDays: 2, skips: 0.02 };
    const laptop = { kill: 0.003, sleep: dice.pick([0.01, 0.05]), sleepDays: 40, skips: 0.3 };
    this.#machineFrom('tower', 0, dice.pick([steady, laptop]));
    this.#machineFrom('laptop', dice.integer(0, 30), laptop);
    this.#machineFrom('late', dice.integer(60, 300), dice.pick([steady, laptop]));
    const everyDays = dice.pick([1, 3, 7]);
    const rules = { graceMs: dice.pick([8, 14]) * DAY_MS, keepLast: dice.pick([1, 2, 5]) };
    this.#maintainerFrom('maintainer', rules, everyDays, steady);
    if (dice.chance(0.5)) this.#maintainerFrom('second maintainer', rules, everyDays, laptop);
  }

  #maintainerFrom(name: string, rules: Rules, everyDays: number, habits: Habits): void {
    const { identity, repository } = this;
    const dice = this.#dice.fork(name);
    const maintainer = new Maintainer({ identity, repository, dice, ...rules });
    this.#maintainers.push(maintainer);
    this.#everyDay(name, dice.integer(1, 7), everyDays, habits, (way, process) =>
      maintainer.run(this.#options.breakMaintainer?.(way) ?? way, process),
    );
  }

  #machineFrom(name: string, day: number, habits: Habits): void {
    this.world.at(START_MS + day * DAY_MS, () => {
      const dice = this.#dice.fork(name);
      const state = this.#join(name, dice);
      const content = new Content(dice.fork('content'), name);
      const machine = new Machine({ name, state, content, dice, ledger: this.#ledger });
      this.#machines.push(machine);
      this.#everyDay(name, day + 1, 1, habits, async (way, process) => {
        this.#running.set(process, machine);
        if (dice.chance(0.01)) machine.cache.lose();
        content.aDayOfWork();
        await machine.push(this.#options.breakMachine?.(way) ?? way, process);
      });
    });
  }

  #join(name: string, dice: Dice): MachineState {
    const halves = publicHalves(this.identity);
    const state: MachineState = {
      format: 1,
      repository: this.repository,
      recipient: toBase64(halves.recipient),
      root: toBase64(halves.root),
      machine: name,
      writer: {
        id: toHex(dice.noise(16)),
        key: toBase64(dice.noise(32)),
        signingSeed: toBase64(dice.noise(32)),
      },
      highWater: {},
    };
    const time = new Date(this.world.nowMs).toISOString();
    const record = makeWriterRecord(this.repository, this.identity, writerOf(state), time);
    this.#bucket.put(record.name, record.bytes);
    return state;
  }

  /** Starts a process every `days` days, unless the one before still runs. */
  #everyDay(
    name: string,
    firstDay: number,
    days: number,
    habits: Habits,
    work: (way: ObjectStore, process: Process) => Promise<void>,
  ): void {
    const dice = this.#dice.fork(`${name} runs`);
    const skewMs = dice.pick([0, 0, -3, 3, 26, -400 * 24]) * HOUR_MS;
    let isRunning = false;
    const start = (): void => {
      if (isRunning || dice.chance(habits.skips)) return;
      isRunning = true;
      const process = new Process(this.world, skewMs, () => {
        isRunning = false;
        this.#running.delete(process);
      });
      const way = this.#bucket.wayFor(process, this.#fateOf(habits, dice));
      void work(way, process).then(
        () => process.end(),
        (error: unknown) => {
          process.end();
          this.#ended(name, error);
        },
      );
    };
    const next = (day: number): void => {
      const atMs = START_MS + day * DAY_MS + dice.integer(0, 6 * HOUR_MS);
      this.world.at(atMs, () => {
        start();
        next(day + days);
      });
    };
    next(firstDay);
  }

  /** A run may give up when the network does; any other end is wrong. */
  #ended(name: string, error: unknown): void {
    const isNetwork = error instanceof FerryError && error.code === 'store-unreachable';
    if (isNetwork) return;
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.world.fail(`${name} ended with ${said}`);
  }

  #fateOf(habits: Habits, dice: Dice): Fate {
    return {
      sleepsMs: () => {
        if (!dice.chance(habits.sleep)) return 0;
        return dice.skewed(10 * 60_000, habits.sleepDays * DAY_MS);
      },
      isKilled: () => {
        if (!dice.chance(habits.kill)) return false;
        this.#kills += 1;
        return true;
      },
    };
  }

  #seeStored(name: string, bytes: Uint8Array, by: Process): void {
    const copy = concatBytes(bytes);
    const machine = this.#running.get(by);
    if (name.startsWith('snapshots/') && machine) {
      this.#ledger.stored(name, copy, machine.writer, machine.capturing);
    } else if (/^(packs|lists)\//.test(name)) this.#ledger.sent(name, copy);
  }
}

/** Every world has another mix of what may go wrong; in some only little does. */
function weatherOf(dice: Dice): Weather {
  const maybe = (max: number): number => (dice.chance(0.4) ? 0 : dice.fraction() * max);
  return {
    listingLagMs: dice.chance(0.4) ? 0 : dice.skewed(1000, 23 * HOUR_MS),
    requestLost: maybe(0.03),
    answerLost: maybe(0.03),
    putLost: maybe(0.01),
    dateMissing: dice.chance(0.7) ? 0 : dice.fraction(),
    createRaceMs: maybe(2000),
    pageSize: dice.skewed(5, 1000),
  };
}
