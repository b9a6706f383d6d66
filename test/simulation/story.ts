/** Two years in the life of a repository, told by a seed: who pushes when, who sleeps, and who comes late. */
import { concatBytes, fromHex, toBase64, toHex } from '../../src/base/bytes.ts';
import { FerryError } from '../../src/base/errors.ts';
import { identityFromSeed, publicHalves, type Identity } from '../../src/crypto/identity.ts';
import { HEADER_NAME, type ObjectId } from '../../src/format/names.ts';
import { encodeRepositoryHeader } from '../../src/format/repository-header.ts';
import { decodeTombstone } from '../../src/format/tombstone.ts';
import { writerOf, type MachineState } from '../../src/repository/machine.ts';
import { openRevocation } from '../../src/repository/revocations.ts';
import { openForgetRecord } from '../../src/repository/forget-records.ts';
import { makeWriterRecord } from '../../src/repository/writers.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { Bucket, type Fate, type Weather } from './bucket.ts';
import { Content, type Shape } from './content.ts';
import { diceOf, type Dice } from './dice.ts';
import { Ledger, type KnownSnapshot } from './ledger.ts';
import { Machine } from './machine.ts';
import type { KeepRules } from '../../src/maintenance/retention.ts';
import { Maintainer } from './maintainer.ts';
import { DAY_MS, HOUR_MS, Process, World } from './world.ts';

const QUARTER_DAYS = 91;
const START_MS = Date.UTC(2026, 0, 1);

export type StoryOptions = {
  readonly days: number;
  /** A rule broken on purpose. */
  readonly breakRule?: () => BrokenRule;
  /** What every world has, whatever its dice say; for what would take too many of them to meet. */
  readonly climate?: Climate;
  /** Asked at the end of every quarter. */
  readonly onQuarter?: (day: number, space: ReturnType<Ledger['space']>) => void;
};

/** Between somebody and the store, or the settings: what makes a rule of theirs of no effect. */
export type BrokenRule = {
  readonly machine?: (way: ObjectStore, name: string) => ObjectStore;
  readonly maintainer?: (way: ObjectStore, name: string) => ObjectStore;
  readonly saved?: (state: MachineState) => MachineState;
};

export type Climate = {
  readonly weather?: Partial<Weather>;
  /** Of every machine that pushes. */
  readonly habits?: Partial<Habits>;
  /** Of whoever forgets and prunes. */
  readonly keepers?: Partial<Habits>;
  readonly rules?: Partial<Rules>;
  readonly shape?: Shape;
  /** Nobody is stolen or lost. */
  readonly isPeaceful?: boolean;
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
  for (let day = QUARTER_DAYS; day <= options.days; day += QUARTER_DAYS) {
    story.world.at(START_MS + day * DAY_MS, () => options.onQuarter?.(day, story.space()));
  }
  await story.world.run(START_MS + options.days * DAY_MS);
  return story.told();
}

type Rules = {
  readonly graceMs: number;
  readonly keepLast: number;
  /** Beside the last ones. */
  readonly keepMore?: KeepRules;
  readonly everyDays: number;
};

type Habits = {
  /** Of a store operation. */
  readonly kill: number;
  readonly sleep: number;
  /** Longest sleep. */
  readonly sleepDays: number;
  /** How often somebody deletes the cache. */
  readonly cacheLost: number;
  /** How often a night brings no push at all. */
  readonly skips: number;
};

class Story {
  readonly world = new World(START_MS);
  readonly #climate: Climate;
  readonly #broken: BrokenRule;
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
  #graceMs = 0;
  #keepLast = 0;

  constructor(seed: string, options: StoryOptions) {
    this.#climate = options.climate ?? {};
    this.#broken = options.breakRule?.() ?? {};
    this.#dice = diceOf(seed);
    const weather = { ...weatherOf(this.#dice.fork('weather')), ...options.climate?.weather };
    this.#bucket = new Bucket(this.world, this.#dice.fork('bucket'), weather, {
      stored: (name, bytes, by) => this.#seeStored(name, bytes, by),
      deleted: (name, by) => {
        if (/^(packs|lists)\//.test(name)) this.#swept += 1;
        this.#ledger.deleted(name, by);
      },
    });
    this.identity = identityFromSeed(this.#dice.noise(32));
    this.repository = toHex(this.#dice.noise(16));
    this.#ledger = new Ledger(
      this.world,
      this.repository,
      () => this.#bucket,
      (snapshot, by) => this.#unexplained(snapshot, by),
    );
    this.#bucket.put(HEADER_NAME, encodeRepositoryHeader(this.repository));
    this.#begin();
  }

  space(): ReturnType<Ledger['space']> {
    return this.#ledger.space();
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
    const cacheLost = dice.pick([0.01, 0.3]);
    const steady = { kill: 0.0005, sleep: 0.001, sleepDays: 2, skips: 0.02, cacheLost };
    const sleepy = { sleep: dice.pick([0.02, 0.1]), sleepDays: dice.pick([5, 25]) };
    const laptop = { kill: 0.003, skips: 0.3, cacheLost, ...sleepy };
    this.#machineFrom('tower', 0, dice.pick([steady, laptop]));
    this.#machineFrom('laptop', dice.integer(0, 30), laptop);
    this.#machineFrom('late', dice.integer(60, 300), dice.pick([steady, laptop]));
    const { isPeaceful = false } = this.#climate;
    if (!isPeaceful) {
      this.#machineFrom('stolen', dice.integer(0, 60), steady);
      this.#machineFrom('lost', dice.integer(0, 60), laptop, dice.integer(80, 200));
    }
    const rules = {
      everyDays: dice.pick([1, 1, 7]),
      graceMs: dice.pick([8, 14]) * DAY_MS,
      keepLast: dice.pick([1, 2, 5]),
      ...this.#climate.rules,
    };
    this.#graceMs = rules.graceMs;
    this.#keepLast = rules.keepLast;
    const maintainer = this.#maintainerFrom('maintainer', rules, dice.pick([steady, laptop]));
    if (!isPeaceful) this.#revokeFrom(dice.integer(90, 250), maintainer, steady);
    if (dice.chance(0.5)) this.#maintainerFrom('second maintainer', rules, laptop);
  }

  #maintainerFrom(name: string, rules: Rules, usual: Habits): Maintainer {
    const habits = { ...usual, ...this.#climate.keepers };
    const { identity, repository } = this;
    const dice = this.#dice.fork(name);
    const maintainer = new Maintainer({ identity, repository, dice, ...rules });
    this.#maintainers.push(maintainer);
    this.#everyDay(name, dice.integer(1, 7), rules.everyDays, habits, (way, process) =>
      maintainer.run(this.#broken.maintainer?.(way, name) ?? way, process),
    );
    return maintainer;
  }

  /** Tries every day until it is said; whoever has the machine goes on pushing. */
  #revokeFrom(day: number, maintainer: Maintainer, habits: Habits): void {
    this.#everyDay('revoker', day, 1, habits, async (way, process) => {
      const stolen = this.#machines.find(({ name }) => name === 'stolen');
      if (!stolen || this.#bucket.look(`revocations/${stolen.writer.id}`)) return;
      await maintainer.revoke(way, process, stolen.writer.id);
    });
  }

  /** @param lastDay after it nobody ever sees this machine again */
  #machineFrom(name: string, day: number, usual: Habits, lastDay = Infinity): void {
    const habits = { ...usual, ...this.#climate.habits };
    this.world.at(START_MS + day * DAY_MS, () => {
      const dice = this.#dice.fork(name);
      const state = this.#join(name, dice);
      const content = new Content(dice.fork('content'), name, this.#climate.shape);
      const machine = new Machine({
        name,
        state,
        content,
        dice,
        ledger: this.#ledger,
        saved: this.#broken.saved ?? ((saved) => saved),
      });
      this.#machines.push(machine);
      this.#everyDay(name, day + 1, 1, habits, async (way, process) => {
        const daysLeft = lastDay - (this.world.nowMs - START_MS) / DAY_MS;
        if (daysLeft < 0) return;
        if (daysLeft < 1) this.world.at(START_MS + lastDay * DAY_MS, () => process.end());
        this.#running.set(process, machine);
        if (dice.chance(habits.cacheLost)) machine.cache.lose();
        content.aDayOfWork();
        await machine.push(this.#broken.machine?.(way, name) ?? way, process);
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
          this.#ended(name, process, error);
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

  /** A run may give up when the network does, or when its machine slept while what it had stored was taken away. */
  #ended(name: string, process: Process, error: unknown): void {
    const code = error instanceof FerryError ? error.code : undefined;
    const tookMs = this.world.nowMs - process.startedMs;
    if (code === 'store-unreachable' || (code === 'object-missing' && tookMs > 8 * DAY_MS)) return;
    const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.world.fail(`${name} ended with ${said}`);
  }

  #fateOf(habits: Habits, dice: Dice): Fate {
    return {
      sleepsMs: (operation) => {
        // Where it is most dangerous it happens most: between the steps of a commit and of a sweep.
        const chance = CRITICAL.test(operation) ? habits.sleep : habits.sleep / 10;
        if (!dice.chance(chance)) return 0;
        const isLong = dice.chance(0.6);
        return isLong ? dice.fraction() * habits.sleepDays * DAY_MS : dice.skewed(60_000, DAY_MS);
      },
      isKilled: () => {
        if (!dice.chance(habits.kill)) return false;
        this.#kills += 1;
        return true;
      },
    };
  }

  /** What is wrong with it that this snapshot is gone. */
  #unexplained({ opened }: KnownSnapshot, by: Process): string | undefined {
    const { writer, digest, cover } = opened;
    const records = this.#bucket.all('forgets/').map(({ name, bytes }) => {
      return openForgetRecord(bytes, name, this.repository, this.identity.root.publicKey);
    });
    const isNamed = records.some((record) => {
      return record.writer === writer && record.snapshots.some((one) => one.digest === digest);
    });
    if (!isNamed) return 'no record explains it';
    // Until its revocation is in every listing, a stolen machine's newer ones are as good as any.
    const revoked = this.#bucket.look(`revocations/${writer}`);
    if (revoked && by.startedMs < revoked.createdMs + DAY_MS) return undefined;
    const newer = this.#ledger
      .ofWriter(writer)
      .filter((one) => one.opened.cover.sequence > cover.sequence);
    if (newer.length === 0) return 'it was the newest';
    return newer.length < this.#keepLast ? 'a keep rule keeps it' : undefined;
  }

  #seeStored(name: string, bytes: Uint8Array, by: Process): void {
    const copy = concatBytes(bytes);
    const machine = this.#running.get(by);
    if (name.startsWith('snapshots/') && machine) {
      this.#ledger.stored(name, copy, machine.writer, machine.capturing);
    } else if (/^(packs|lists)\//.test(name)) this.#ledger.sent(name, copy);
    else if (name.startsWith('revocations/')) {
      const { root } = this.identity;
      const { writer, digests } = openRevocation(copy, name, this.repository, root.publicKey);
      if (digests) this.#ledger.revoked(writer, digests);
    } else if (name.startsWith('tombstones/')) {
      const object = name.slice('tombstones/'.length) as ObjectId;
      const { names } = decodeTombstone(copy, fromHex(this.repository), object, name);
      this.#ledger.condemned(name, names, this.#graceMs, by);
    }
  }
}

const CRITICAL =
  /^(list (tombstones|packs)|get tombstones|head lists|put (snapshots|tombstones)|delete packs)/;

/** Every world has another mix of what may go wrong; in some only little does. */
function weatherOf(dice: Dice): Weather {
  const maybe = (max: number): number => (dice.chance(0.4) ? 0 : dice.fraction() * max);
  return {
    listingLagMs: dice.pick([0, 0, dice.skewed(1000, HOUR_MS), dice.fraction() * 23 * HOUR_MS]),
    requestLost: maybe(0.03),
    answerLost: maybe(0.03),
    putLost: maybe(0.01),
    cutShort: maybe(0.01),
    dateMissing: dice.chance(0.7) ? 0 : dice.fraction(),
    createRaceMs: maybe(2000),
    pageSize: dice.skewed(5, 1000),
  };
}
