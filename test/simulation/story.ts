/** Two years in the life of a repository, told by a seed: who pushes when, who sleeps, and who comes late. */
import { fromHex, toBase64, toHex } from '../../src/base/bytes.ts';
import { identityFromSeed, publicHalves, type Identity } from '../../src/crypto/identity.ts';
import { HEADER_NAME, type ObjectId } from '../../src/format/names.ts';
import { encodeRepositoryHeader } from '../../src/format/repository-header.ts';
import { decodeTombstone } from '../../src/format/tombstone.ts';
import { writerOf, type MachineState } from '../../src/repository/machine.ts';
import { openRepackRecord } from '../../src/repository/repack-records.ts';
import { openRevocation } from '../../src/repository/revocations.ts';
import { openForgetRecord } from '../../src/repository/forget-records.ts';
import { makeWriterRecord } from '../../src/repository/writers.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { Bucket, type Weather } from './bucket.ts';
import { Calendar, START_MS, type Habits, type Work } from './calendar.ts';
import { Caretaker } from './caretaker.ts';
import { Content, type Shape } from './content.ts';
import { decay } from './decay.ts';
import { diceOf, type Dice } from './dice.ts';
import { Grants, handOff } from './grants.ts';
import { land } from './landing.ts';
import { Ledger, type KnownSnapshot } from './ledger.ts';
import { Machine } from './machine.ts';
import type { KeepRules } from '../../src/maintenance/forget/retention.ts';
import type { RepackLimits } from '../../src/maintenance/repack/repack-plan.ts';
import { REPACK_LIMITS } from '../../src/maintenance/repack/repack.ts';
import { Maintainer, type MaintainerParts } from './maintainer.ts';
import { repackSome } from './repacker.ts';
import { DAY_MS, HOUR_MS, World, type Process } from './world.ts';

const QUARTER_DAYS = 91;
const NO_ABORT = new AbortController().signal;
/** Of a day, once it has landed what it came for. */
const LANDS_AGAIN = 0.005;

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
  readonly caretaker?: (way: ObjectStore) => ObjectStore;
  /** Of whoever pulls. */
  readonly puller?: (way: ObjectStore) => ObjectStore;
  /** Of a machine while it lands another one's install. */
  readonly lander?: (way: ObjectStore) => ObjectStore;
  readonly saved?: (state: MachineState) => MachineState;
  /** What of its chunks whoever repacks hears of a snapshot. */
  readonly told?: (chunks: readonly string[]) => readonly string[];
};

export type Climate = {
  readonly weather?: Partial<Weather>;
  /** Of every machine that pushes. */
  readonly habits?: Partial<Habits>;
  /** Of whoever forgets and prunes. */
  readonly keepers?: Partial<Habits>;
  readonly rules?: Partial<Rules>;
  readonly shape?: Shape;
  /** Chance of a day that the store loses or spoils something. */
  readonly decay?: number;
  /** The machine whose install lands on another one; it may be none. */
  readonly movesFrom?: string;
  /** Nobody is stolen or lost. */
  readonly isPeaceful?: boolean;
  /** Whoever prunes repacks first, with other limits than usual; false: nobody does. */
  readonly repacks?: Partial<RepackLimits> | false;
};

export type Told = {
  /** Undefined: every step was as it must be. */
  readonly wrong: string | undefined;
  /** How often things happened, by what they are called in reports. */
  readonly happened: Readonly<Record<string, number>>;
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

class Story {
  readonly world = new World(START_MS);
  readonly #climate: Climate;
  readonly #broken: BrokenRule;
  readonly #dice: Dice;
  readonly #bucket: Bucket;
  readonly #ledger: Ledger;
  readonly #grants: Grants;
  readonly #calendar: Calendar;
  readonly identity: Identity;
  readonly repository: string;
  readonly #machines = new Map<string, Machine>();
  readonly #running = new WeakMap<Process, Machine>();
  /** Writer and digest of what forget records name, with when the run began that said so first. */
  readonly #explained = new Map<string, number>();
  #graceMs = 0;
  #keepLast = 0;

  constructor(seed: string, options: StoryOptions) {
    this.#climate = options.climate ?? {};
    this.#broken = options.breakRule?.() ?? {};
    this.#dice = diceOf(seed);
    const weather = { ...weatherOf(this.#dice.fork('weather')), ...options.climate?.weather };
    const bucketDice = this.#dice.fork('bucket');
    this.#bucket = new Bucket(this.world, bucketDice, weather, {
      stored: (name, bytes, by) => this.#seeStored(name, bytes, by),
      deleted: (name, by) => this.#seeDeleted(name, by),
    });
    this.identity = identityFromSeed(this.#dice.noise(32));
    this.repository = toHex(this.#dice.noise(16));
    this.#ledger = new Ledger(
      this.world,
      this.repository,
      () => this.#bucket,
      (snapshot, by) => this.#unexplained(snapshot, by),
    );
    this.#grants = new Grants(this.world, this.repository);
    this.#calendar = new Calendar(this.world, this.#bucket, this.#dice);
    this.#bucket.put(HEADER_NAME, encodeRepositoryHeader(this.repository));
    this.#begin();
  }

  space(): ReturnType<Ledger['space']> {
    return this.#ledger.space();
  }

  told(): Told {
    const { wrong, happened } = this.world;
    return { wrong, happened: Object.fromEntries([...happened].toSorted()) };
  }

  #begin(): void {
    const dice = this.#dice.fork('people');
    const cacheLost = dice.pick([0.005, 0.04]);
    const usual = { cacheLost, handsOff: dice.pick([0, 0.02]) };
    const steady = { ...usual, kill: 0.0005, sleep: 0.001, sleepDays: 2, skips: 0.02 };
    const sleepy = { sleep: dice.pick([0.02, 0.1]), sleepDays: dice.pick([5, 25]) };
    const laptop = { ...usual, kill: 0.003, skips: 0.3, ...sleepy };
    this.#machineFrom('tower', 0, dice.pick([steady, laptop]));
    this.#machineFrom('laptop', dice.integer(0, 30), laptop);
    this.#machineFrom('late', dice.integer(60, 300), dice.pick([steady, laptop]));
    const { isPeaceful = false } = this.#climate;
    if (!isPeaceful) {
      this.#machineFrom('stolen', dice.integer(0, 60), steady);
      this.#machineFrom('lost', dice.integer(0, 60), laptop, dice.integer(80, 200));
    }
    const rules = {
      everyDays: dice.pick([2, 4, 7, 7]),
      graceMs: dice.pick([8, 14]) * DAY_MS,
      keepLast: dice.pick([1, 2, 5]),
      ...this.#climate.rules,
    };
    this.#graceMs = rules.graceMs;
    this.#keepLast = rules.keepLast;
    const maintainer = this.#maintainerFrom('maintainer', rules, dice.pick([steady, laptop]));
    if (!isPeaceful) this.#revokeFrom(dice.integer(90, 250), maintainer, steady);
    if (dice.chance(0.5)) this.#maintainerFrom('second maintainer', rules, laptop);
    this.#misfortunes(this.#dice.fork('misfortunes'), rules, steady, laptop);
  }

  /** An install that moves to another machine, a store that loses things, and somebody who looks after it. */
  #misfortunes(dice: Dice, rules: Rules, steady: Habits, laptop: Habits): void {
    const { isPeaceful = false, decay: decays = dice.pick([0, 0.003, 0.02]) } = this.#climate;
    const source = isPeaceful ? 'tower' : dice.pick(['tower', 'stolen', 'lost']);
    const { movesFrom = dice.chance(0.6) ? source : undefined } = this.#climate;
    if (movesFrom !== undefined) {
      this.#machineFrom(
        'heir',
        dice.integer(60, 300),
        dice.pick([steady, laptop]),
        Infinity,
        movesFrom,
      );
    }
    const { world } = this;
    const parts = { world, bucket: this.#bucket, wounds: this.#ledger.wounds };
    if (decays > 0) decay({ ...parts, dice: dice.fork('decay'), chance: decays });
    const maintainer = new Maintainer(this.#partsOf('caretaker', rules));
    const caretaker = new Caretaker(world, this.#ledger, dice.fork('caretaker'));
    const [days, habits] = [dice.pick([14, 30]), dice.pick([steady, laptop])];
    const work: Work = async (way, process) => {
      const seen = this.#broken.caretaker?.(way) ?? way;
      const repository = await maintainer.open(seen, process);
      const { store } = repository;
      const pulling = { ...repository, store: this.#broken.puller?.(store) ?? store };
      await caretaker.run(repository, pulling, process);
    };
    const firstDay = dice.integer(1, 40);
    const routine = { firstDay, days, habits, work, hasGoodLine: true };
    this.#calendar.add({ name: 'caretaker', ...routine });
  }

  #partsOf(name: string, rules: Rules): MaintainerParts {
    const { identity, repository } = this;
    const grants = this.#grants;
    return { identity, repository, grants, dice: this.#dice.fork(name), ...rules };
  }

  #maintainerFrom(name: string, rules: Rules, usual: Habits): Maintainer {
    const habits = { ...usual, ...this.#climate.keepers };
    const own = this.#partsOf(name, rules);
    const { graceMs } = rules;
    const { repacks = this.#dice.fork('repacks').pick(REPACKS) } = this.#climate;
    const dice = own.dice.fork('repacks');
    const repacking = {
      ledger: this.#ledger,
      dice,
      request: { ...REPACK_LIMITS, ...repacks, graceMs },
    };
    const parts: MaintainerParts = {
      ...own,
      ...(repacks !== false && { repacks: (repository) => repackSome(repository, repacking) }),
    };
    const maintainer = new Maintainer(parts);
    const firstDay = parts.dice.integer(1, 7);
    const work: Work = (way, process) =>
      maintainer.run(this.#broken.maintainer?.(way, name) ?? way, process);
    this.#calendar.add({ name, firstDay, days: rules.everyDays, habits, work });
    return maintainer;
  }

  /** Tries every day until it is said; whoever has the machine goes on pushing. */
  #revokeFrom(firstDay: number, maintainer: Maintainer, habits: Habits): void {
    const work: Work = async (way, process) => {
      const stolen = this.#machines.get('stolen');
      if (!stolen || this.#bucket.look(`revocations/${stolen.writer.id}`)) return;
      await maintainer.revoke(way, process, stolen.writer.id);
    };
    this.#calendar.add({ name: 'revoker', firstDay, days: 1, habits, work });
  }

  /**
   * @param lastDay after it nobody ever sees this machine again
   * @param source the machine whose install lands on this one, some day
   */
  #machineFrom(
    name: string,
    day: number,
    usual: Habits,
    lastDay = Infinity,
    source?: string,
  ): void {
    const habits = { ...usual, ...this.#climate.habits };
    this.world.at(START_MS + day * DAY_MS, () => {
      const dice = this.#dice.fork(name);
      const { repository } = this;
      const state = this.#join(name, dice);
      const content = new Content(dice.fork('content'), name, this.#climate.shape);
      const { saved = (one) => one, told = (chunks) => chunks } = this.#broken;
      const parts = { name, state, content, dice, ledger: this.#ledger, saved, told };
      const machine = new Machine(parts);
      this.#machines.set(name, machine);
      const reader = new Maintainer({ ...this.#partsOf(`${name} reading`, KEEPS_NOTHING) });
      const work: Work = async (way, process) => {
        const daysLeft = lastDay - (this.world.nowMs - START_MS) / DAY_MS;
        if (daysLeft < 0) return;
        if (daysLeft < 1) this.world.at(START_MS + lastDay * DAY_MS, () => process.end());
        this.#running.set(process, machine);
        if (dice.chance(habits.cacheLost)) machine.cache.lose();
        const from = source === undefined ? undefined : this.#machines.get(source);
        if (from && (machine.landedMs === -Infinity || dice.chance(LANDS_AGAIN))) {
          const opened = await reader.open(this.#broken.lander?.(way) ?? way, process);
          await land(machine, from.writer.id, opened, this.#ledger, process);
          // Often nobody pushes before the timer does.
          if (dice.chance(0.5)) return;
        } else content.aDayOfWork();
        const own = this.#broken.machine?.(way, name) ?? way;
        const snapshot = await machine.push(own, process);
        if (!dice.chance(habits.handsOff)) return;
        const isBoundless = name === 'stolen';
        const ticket = { repository, writer: machine.writer.id, snapshot, dice, isBoundless };
        await handOff(machine.retrying(way, process), ticket, NO_ABORT);
      };
      this.#calendar.add({ name, firstDay: day + 1, days: 1, habits, work });
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

  /** What is wrong with it that this snapshot is gone. */
  #unexplained({ opened }: KnownSnapshot, by: Process): string | undefined {
    const { id, writer, digest, cover } = opened;
    const recordedMs = this.#explained.get(writer + digest);
    if (recordedMs === undefined) return 'no record explains it';
    if (this.#grants.protects(id, by)) return 'a living grant names it';
    // Until its revocation is in every listing, a stolen machine's newer ones are as good as any. What was recorded
    // by then goes with whichever run comes next.
    const revoked = this.#bucket.look(`revocations/${writer}`);
    if (revoked && Math.min(recordedMs, by.startedMs) < revoked.createdMs + DAY_MS)
      return undefined;
    const newer = this.#ledger
      .ofWriter(writer)
      .filter((one) => one.opened.cover.sequence > cover.sequence);
    if (newer.length === 0) return 'it was the newest';
    return newer.length < this.#keepLast ? 'a keep rule keeps it' : undefined;
  }

  #seeDeleted(name: string, by: Process): void {
    if (/^(packs|lists)\//.test(name)) this.world.count('packs and lists swept');
    this.#grants.deleted(name);
    this.#ledger.deleted(name, by);
  }

  #seeStored(name: string, bytes: Uint8Array, by: Process): void {
    const { root } = this.identity;
    const machine = this.#running.get(by);
    this.#grants.stored(name, bytes);
    if (name.startsWith('snapshots/') && machine) {
      this.#ledger.stored(name, bytes, machine.writer, machine.capturing);
    } else if (/^(packs|lists)\//.test(name)) this.#ledger.sent(name, bytes);
    else if (name.startsWith('revocations/')) {
      const { writer, digests } = openRevocation(bytes, name, this.repository, root.publicKey);
      if (digests) this.#ledger.revoked(writer, new Set(digests.keys()));
    } else if (name.startsWith('forgets/')) {
      const { writer, snapshots } = openForgetRecord(bytes, name, this.repository, root.publicKey);
      for (const { digest } of snapshots) {
        const one = writer + digest;
        this.#explained.set(one, Math.min(by.startedMs, this.#explained.get(one) ?? Infinity));
      }
    } else if (name.startsWith('repacks/')) {
      this.#ledger.repacked(openRepackRecord(bytes, name, this.repository, root.publicKey));
    } else if (name.startsWith('tombstones/')) {
      const object = name.slice('tombstones/'.length) as ObjectId;
      const { names } = decodeTombstone(bytes, fromHex(this.repository), object, name);
      this.#ledger.condemned(name, names, this.#graceMs, by);
    }
  }
}

/** Of worlds that say nothing of it, half. */
const REPACKS = [false, false, {}, { deadShareMax: 0.01 }] as const;

/** Of somebody who only reads. */
const KEEPS_NOTHING: Rules = { graceMs: 0, keepLast: 0, everyDays: 1 };

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
    pageSize: dice.skewed(20, 1000),
  };
}
