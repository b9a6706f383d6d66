/**
 * A bucket in a simulated world, and the ways to it: each process has one of its own, on which requests are lost,
 * answers are lost, listings lag, and its machine falls asleep or is killed.
 */
import { FerryError, throwIfAborted } from '../../src/base/errors.ts';
import { assertName, assertPrefix } from '../../src/store/names.ts';
import type { ListedObject, ObjectStore } from '../../src/store/object-store.ts';
import { copyInto, cutRange, noCounts } from '../../src/store/ranges.ts';
import type { Dice } from './dice.ts';
import { SortedNames } from './sorted-names.ts';
import { HOUR_MS, type Process, type World } from './world.ts';

export type Weather = {
  /** A listing may show the state of any moment up to this long ago, for each name another one. */
  readonly listingLagMs: number;
  /** Of an operation: it never arrives. */
  readonly requestLost: number;
  /** It arrives, and its answer does not. */
  readonly answerLost: number;
  /** Of a put: it is answered 200 and stores nothing, or only its first half. Never of a snapshot. */
  readonly putLost: number;
  /** Of an answer with a snapshot or a pack list: it breaks off on the way. */
  readonly cutShort: number;
  /** Of an answer: it has no Date. */
  readonly dateMissing: number;
  /** Two creations of one name within this time may both be told that they were first. */
  readonly createRaceMs: number;
  readonly pageSize: number;
};

/** What a way to the bucket does to the process that goes it, drawn before and after every operation. */
export type Fate = {
  /** How long the machine sleeps before or after this operation (`put snapshots/…`); 0: it stays awake. */
  readonly sleepsMs: (operation: string) => number;
  readonly isKilled: () => boolean;
  /** No answer breaks off. */
  readonly hasGoodLine: boolean;
};

export type Stored = {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly modifiedMs: number;
  readonly createdMs: number;
  deletedMs: number;
};

/** Told of every effect at the moment it happens. */
export type Witness = {
  stored(name: string, bytes: Uint8Array, by: Process): void;
  deleted(name: string, by: Process): void;
};

export class Bucket {
  readonly #world: World;
  readonly #dice: Dice;
  readonly #weather: Weather;
  readonly #witness: Witness;
  /** By first part of the name; deleted ones stay as long as a listing may show them. */
  readonly #folders = new Map<string, SortedNames<Stored>>();

  constructor(world: World, dice: Dice, weather: Weather, witness: Witness) {
    this.#world = world;
    this.#dice = dice;
    this.#weather = weather;
    this.#witness = witness;
  }

  /** What lies there now, whatever a listing says. */
  look(name: string): Stored | undefined {
    const stored = this.#folder(name).get(name);
    return stored && stored.deletedMs > this.#world.nowMs ? stored : undefined;
  }

  all(prefix: string): Stored[] {
    const below = this.#folder(prefix).below(prefix);
    return below.filter(({ deletedMs }) => deletedMs > this.#world.nowMs);
  }

  put(name: string, bytes: Uint8Array): void {
    const nowMs = this.#world.nowMs;
    const createdMs = this.look(name)?.createdMs ?? nowMs;
    this.#folder(name).set({ name, bytes, modifiedMs: nowMs, createdMs, deletedMs: Infinity });
  }

  /** One bit of it is another one; name, size and times stay. */
  rot(name: string, at: number): void {
    const stored = this.look(name);
    if (!stored) return;
    const bytes = Buffer.from(stored.bytes);
    bytes[at] = (bytes[at] ?? 0) ^ 0x20;
    this.#folder(name).set({ ...stored, bytes });
  }

  delete(name: string): void {
    const stored = this.look(name);
    if (stored) stored.deletedMs = this.#world.nowMs;
  }

  /** One page of a listing, after the name `after`: each name as it was at some moment within the lag. */
  #page(prefix: string, after: string): Page {
    const { nowMs } = this.#world;
    const { listingLagMs, pageSize } = this.#weather;
    const shown: Stored[] = [];
    const ended: string[] = [];
    const folder = this.#folder(prefix);
    for (const stored of folder.below(prefix, after)) {
      const { createdMs, deletedMs } = stored;
      if (deletedMs + listingLagMs < nowMs) {
        ended.push(stored.name);
        continue;
      }
      const isYoung = createdMs + listingLagMs > nowMs || deletedMs !== Infinity;
      const seenMs = isYoung && listingLagMs > 0 ? this.#seenMs() : nowMs;
      if (createdMs <= seenMs && deletedMs > seenMs) shown.push(stored);
      if (shown.length > pageSize) break;
    }
    for (const name of ended) folder.delete(name);
    const dateMs = this.date();
    const page = shown.slice(0, pageSize).map(({ name, bytes, modifiedMs }) => {
      return { name, size: bytes.length, modifiedMs, dateMs };
    });
    return { page, isLast: shown.length <= pageSize };
  }

  #seenMs(): number {
    const { nowMs } = this.#world;
    if (this.#dice.chance(0.3)) return nowMs;
    return nowMs - this.#dice.fraction() * this.#weather.listingLagMs;
  }

  date(): number | undefined {
    const isMissing = this.#weather.dateMissing > 0 && this.#dice.chance(this.#weather.dateMissing);
    return isMissing ? undefined : this.#world.nowMs;
  }

  /** The store as one process has it. */
  wayFor(process: Process, fate: Fate): ObjectStore {
    const counts = noCounts();
    const goes = <T>(
      kind: keyof typeof counts,
      name: string,
      signal: AbortSignal,
      effect: () => T,
    ): Promise<T> => {
      throwIfAborted(signal);
      counts[kind] += 1;
      this.#world.count('store operations');
      return this.#goes(process, fate, `${kind} ${name}`, effect);
    };
    const read = (name: string): Stored | undefined => {
      assertName(name);
      return this.look(name);
    };
    const page = (prefix: string, after: string, signal: AbortSignal) =>
      goes('list', prefix, signal, () => this.#page(prefix, after));
    return {
      location: 'simulated bucket',
      put: (name, body, options, signal) =>
        goes('put', name, signal, () => {
          assertName(name);
          return this.#put(name, body, options.createOnly === true, process);
        }),
      get: (name, range, signal) =>
        goes('get', name, signal, () => {
          const stored = read(name);
          if (!stored) return undefined;
          const { start, end } = cutRange(name, range, stored.bytes.length);
          const isCut =
            !fate.hasGoodLine &&
            /^(snapshots|lists)\//.test(name) &&
            this.#dice.chance(this.#weather.cutShort);
          const bytes = cutOut(stored.bytes, start, isCut ? end >> 1 : end);
          return { bytes, dateMs: this.date() };
        }),
      getInto: (name, range, into, signal) =>
        goes('get', name, signal, () => {
          const stored = read(name);
          if (!stored) return undefined;
          const { start, end } = cutRange(name, range, stored.bytes.length);
          const length = copyInto(name, stored.bytes.subarray(start, end), into);
          return { length, dateMs: this.date() };
        }),
      stat: (name, signal) =>
        goes('head', name, signal, () => {
          const stored = read(name);
          return stored && { size: stored.bytes.length, dateMs: this.date() };
        }),
      list(prefix, signal) {
        assertPrefix(prefix);
        return inPages((after) => page(prefix, after, signal));
      },
      delete: (name, signal) =>
        goes('delete', name, signal, () => {
          if (!read(name)) return;
          this.delete(name);
          this.#witness.deleted(name, process);
        }),
      dateMs: (signal) => goes('head', '', signal, () => this.#world.nowMs),
      counts: () => ({ ...counts }),
      close: async () => {},
    };
  }

  #put(name: string, body: Uint8Array, createOnly: boolean, by: Process): PutDone {
    const there = this.look(name);
    const isRacy =
      there !== undefined && this.#world.nowMs - there.createdMs < this.#weather.createRaceMs;
    if (createOnly && there && !isRacy) return { outcome: 'exists', dateMs: this.date() };
    const spoilable = /^(packs|lists|indexes)\//.test(name);
    const isSpoilt = spoilable && this.#dice.chance(this.#weather.putLost);
    // Whose buffer it is may be used again.
    const bytes = Buffer.from(body);
    if (!isSpoilt) this.put(name, bytes);
    else if (this.#dice.chance(0.5)) this.put(name, bytes.subarray(0, bytes.length >> 1));
    this.#witness.stored(name, bytes, by);
    return { outcome: 'stored', dateMs: this.date() };
  }

  /** There and back. Before either, the machine may fall asleep, or the process is killed and hears of nothing. */
  #goes<T>(process: Process, fate: Fate, operation: string, effect: () => T): Promise<T> {
    const { requestLost, answerLost } = this.#weather;
    const pause = (): number => {
      const sleepsMs = fate.sleepsMs(operation);
      if (sleepsMs > 0) process.sleepFor(sleepsMs);
      return 10 + this.#dice.integer(0, 400);
    };
    return new Promise((resolve, reject) => {
      process.after(pause(), () => {
        if (fate.isKilled()) return process.end();
        if (this.#dice.chance(requestLost)) return reject(UNREACHABLE);
        const answer = tried(effect);
        const delayMs = pause();
        // Nobody answers a machine that sleeps: what was under way is lost with its connection.
        const isLost =
          this.#dice.chance(answerLost) || process.wakesMs > this.#world.nowMs + HOUR_MS;
        process.after(delayMs, () => {
          if (fate.isKilled()) return process.end();
          if (isLost) reject(UNREACHABLE);
          else if ('error' in answer) reject(answer.error);
          else resolve(answer.value);
        });
      });
    });
  }

  #folder(name: string): SortedNames<Stored> {
    const first = name.slice(0, name.indexOf('/') + 1);
    const known = this.#folders.get(first);
    if (known) return known;
    const made = new SortedNames<Stored>();
    this.#folders.set(first, made);
    return made;
  }
}

type Page = { readonly page: readonly ListedObject[]; readonly isLast: boolean };

/** What an async generator would yield, with one turn for each object instead of several. */
function inPages(read: (after: string) => Promise<Page>): AsyncIterable<ListedObject> {
  return {
    [Symbol.asyncIterator]() {
      let answer: Page = { page: [], isLast: false };
      let at = 0;
      return {
        async next() {
          while (at === answer.page.length) {
            if (answer.isLast) return { done: true, value: undefined };
            answer = await read(answer.page.at(-1)?.name ?? '');
            at = 0;
          }
          const value = answer.page[at++];
          return value ? { done: false, value } : { done: true, value };
        },
      };
    },
  };
}

/** The very object where it is whole: what was opened once is known by it. Nobody writes into what he got. */
const cutOut = (bytes: Uint8Array, start: number, end: number): Uint8Array =>
  start === 0 && end === bytes.length ? bytes : bytes.slice(start, end);

type Answer<T> = { readonly value: T } | { readonly error: Error };

function tried<T>(effect: () => T): Answer<T> {
  try {
    return { value: effect() };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return { error };
  }
}

type PutDone = { readonly outcome: 'stored' | 'exists'; readonly dateMs: number | undefined };

/** The same one every time: where it came up is not worth a stack, thousands of times. */
const UNREACHABLE = new FerryError('store-unreachable', 'the network is gone for a moment');
