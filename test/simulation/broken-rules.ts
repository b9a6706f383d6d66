/**
 * The rules of "Write order", each broken on purpose, by something that stands between the real code and the store and
 * makes the rule of no effect. A simulation that does not find each of them is too weak.
 */
import type { GetAnswer, ListedObject, ObjectStore } from '../../src/store/object-store.ts';
import type { BrokenRule, Climate } from './story.ts';
import { DAY_MS } from './world.ts';

type List = ObjectStore['list'];
type Change = Partial<ObjectStore>;

const machine = (change: (way: ObjectStore) => Change) => (): BrokenRule => ({
  machine: (way) => ({ ...way, ...change(way) }),
});
const maintainer = (change: (way: ObjectStore) => Change) => (): BrokenRule => ({
  maintainer: (way) => ({ ...way, ...change(way) }),
});

/** A listing in which some objects look another way, or not at all. */
const listing = (
  way: ObjectStore,
  prefix: string,
  seen: (object: ListedObject) => ListedObject | undefined,
): Pick<ObjectStore, 'list'> => ({
  async *list(wanted, signal) {
    for await (const object of way.list(wanted, signal)) {
      const shown = wanted.startsWith(prefix) ? seen(object) : object;
      if (shown) yield shown;
    }
  },
});

const older = (object: ListedObject): ListedObject => ({
  ...object,
  modifiedMs: object.modifiedMs - 20 * DAY_MS,
});

/** Sizes of what was put, whatever became of it. Per machine, from run to run. */
function believing(
  isTrusted: (name: string, there: number | undefined) => boolean,
  who: 'machine' | 'maintainer' = 'machine',
) {
  return (): BrokenRule => {
    const sizes = new Map<string, number>();
    return {
      [who]: (way: ObjectStore): ObjectStore => ({
        ...way,
        put(name, body, options, signal) {
          sizes.set(name, body.length);
          return way.put(name, body, options, signal);
        },
        async stat(name, signal) {
          const there = await way.stat(name, signal);
          const size = name.startsWith('packs/') ? sizes.get(name) : undefined;
          if (size === undefined || !isTrusted(name, there?.size)) return there;
          return { size, dateMs: there?.dateMs };
        },
        async *list(prefix, signal) {
          const there = new Map<string, ListedObject>();
          for await (const object of way.list(prefix, signal)) there.set(object.name, object);
          for (const [name, size] of prefix.startsWith('packs/') ? sizes : []) {
            const object = there.get(name);
            if (!name.startsWith(prefix) || !isTrusted(name, object?.size)) continue;
            const made = { name, modifiedMs: Number.MAX_SAFE_INTEGER, dateMs: undefined };
            there.set(name, { ...(object ?? made), size });
          }
          yield* there.values();
        },
      }),
    };
  };
}

const SLEEPY: Climate = {
  weather: { listingLagMs: 0.9 * DAY_MS, requestLost: 0, answerLost: 0 },
  habits: { sleep: 0.1, sleepDays: 16, skips: 0, kill: 0 },
  rules: { everyDays: 1, graceMs: 8 * DAY_MS, keepLast: 1 },
};

/** Who sleeps for longer than it takes to announce and to sweep, with nothing else that goes wrong. */
const AWAY: Climate = {
  isPeaceful: true,
  decay: 0,
  weather: { listingLagMs: 0, requestLost: 0, answerLost: 0 },
  habits: { sleep: 0.15, sleepDays: 25, skips: 0, kill: 0, handsOff: 0 },
  keepers: { sleep: 0, kill: 0, skips: 0 },
  rules: { everyDays: 4, graceMs: 8 * DAY_MS, keepLast: 1 },
};

/** Where some rules matter: listings that lag, and machines that sleep. */
export const CLIMATES: Readonly<Record<string, Climate>> = {
  'C2 without looking whether a pack is there': { weather: { putLost: 0.05 } },
  'C2 without comparing sizes': { weather: { putLost: 0.05 } },
  'P2 without looking whether what stands in for a pack is there': {
    repacks: { deadShareMax: 0.01 },
    weather: { putLost: 0.05 },
  },
  'C3 without the repeat': SLEEPY,
  'P2 without stopping at what cannot be read': { weather: { cutShort: 0.03 } },
  'P2 without the grace period': {
    ...SLEEPY,
    isPeaceful: true,
    decay: 0,
    habits: { sleep: 0.15, sleepDays: 5, skips: 0, kill: 0, handsOff: 0 },
    keepers: { sleep: 0, kill: 0, skips: 0 },
  },
  'P3 with the tombstone before what it names': { isPeaceful: true },
  'P3 with the tombstone right after what it names': {
    isPeaceful: true,
    weather: { listingLagMs: 0.95 * DAY_MS },
    habits: { cacheLost: 0.7, skips: 0.7, sleep: 0, kill: 0 },
    rules: { everyDays: 1, graceMs: 8 * DAY_MS, keepLast: 1 },
  },
  'C1 the other way round, its Date last': AWAY,
};

/** Where the search begins, so that it is short. */
export const FIRST_SEEDS: Readonly<Record<string, number>> = {
  'P2 without looking whether what stands in for a pack is there': 2,
  'C2 without tombstones': 6,
  'C4 without remembering what is pending': 2,
  'C1 the other way round, its Date last': 40,
  'C3 without the repeat': 14,
  'P3 with the tombstone before what it names': 16,
  'P2 without the grace period': 3,
  'P3 with the tombstone right after what it names': 8,
};

export const BROKEN_RULES: Readonly<Record<string, () => BrokenRule>> = {
  'C2 without looking whether a pack is there': believing((_name, there) => there === undefined),
  'C2 without comparing sizes': believing((_name, there) => there !== undefined),
  'P2 without looking whether what stands in for a pack is there': believing(
    (_name, there) => there === undefined,
    'maintainer',
  ),
  'C2 without tombstones': machine((way) => listing(way, 'tombstones/', () => undefined)),
  'C3 without the repeat': machine((way) => {
    let lookedMs: number | undefined;
    const list: List = async function* watched(prefix, signal) {
      for await (const object of way.list(prefix, signal)) {
        lookedMs = object.dateMs ?? lookedMs;
        yield object;
      }
    };
    return {
      list,
      async dateMs(signal) {
        lookedMs = await way.dateMs(signal);
        return lookedMs;
      },
      async put(name, body, options, signal) {
        const answer = await way.put(name, body, options, signal);
        return name.startsWith('snapshots/') ? { ...answer, dateMs: lookedMs } : answer;
      },
    };
  }),
  'C4 without remembering what is pending': () => ({
    saved: ({ pending: _forgotten, ...state }) => state,
  }),
  'P1 without the grace period': maintainer((way) => ({
    list: (prefix, signal) =>
      listing(way, /^(packs|lists)\//.test(prefix) ? '' : 'none/', older).list(prefix, signal),
  })),
  'P1 without all snapshots': maintainer((way) => ({
    async *list(prefix, signal) {
      let hidden = '';
      for await (const object of way.list(prefix, signal)) {
        const [folder, writer = ''] = object.name.split('/');
        const isFirst = folder === 'snapshots' && writer !== hidden;
        if (isFirst) hidden = writer;
        else yield object;
      }
    },
  })),
  'P2 without the grace period': maintainer((way) => listing(way, 'tombstones/', older)),
  'P2 without looking at snapshots again': () => {
    /** When the oldest tombstone was stored that was not spent. */
    const stored = new Map<string, number>();
    return {
      maintainer: (way) => ({
        ...way,
        async put(name, body, options, signal) {
          if (name.startsWith('tombstones/')) stored.set(name, await way.dateMs(signal));
          return await way.put(name, body, options, signal);
        },
        delete(name, signal) {
          stored.delete(name);
          return way.delete(name, signal);
        },
        ...listing(way, 'snapshots/', (object) =>
          object.modifiedMs > Math.min(...stored.values()) ? undefined : object,
        ),
      }),
    };
  },
  'P2 without stopping at what cannot be read': maintainer((way) => {
    const read = new Map<string, GetAnswer | undefined>();
    return {
      async *list(prefix, signal) {
        for await (const object of way.list(prefix, signal)) {
          const { name, size } = object;
          const isSnapshot = name.startsWith('snapshots/');
          if (isSnapshot && !read.has(name)) read.set(name, await way.get(name, undefined, signal));
          if (!isSnapshot || read.get(name)?.bytes.length === size) yield object;
        }
      },
      get: async (name, range, signal) => read.get(name) ?? (await way.get(name, range, signal)),
    };
  }),
  'P3 with the tombstone before what it names': maintainer((way) => {
    const tombstones = seenTombstones(way);
    return {
      ...tombstones.seeing,
      async delete(name, signal) {
        if (name.startsWith('packs/')) await tombstones.deleteAll(signal);
        await way.delete(name, signal);
      },
    };
  }),
  'P3 with the tombstone right after what it names': maintainer((way) => {
    const tombstones = seenTombstones(way);
    let hasSwept = false;
    return {
      ...tombstones.seeing,
      async delete(name, signal) {
        await way.delete(name, signal);
        if (name.startsWith('packs/')) hasSwept = true;
        else if (hasSwept) await tombstones.deleteAll(signal);
      },
    };
  }),
  'P4 with the record after the deletion': maintainer((way) => {
    let later: (() => Promise<unknown>)[] = [];
    const said = new Map<string, Uint8Array>();
    return {
      async put(name, body, options, signal) {
        if (!name.startsWith('forgets/')) return await way.put(name, body, options, signal);
        said.set(name, Buffer.from(body));
        later.push(() => way.put(name, body, options, signal));
        return { outcome: 'stored', dateMs: undefined };
      },
      // Whoever reads it again before he deletes finds it.
      async get(name, range, signal) {
        const bytes = said.get(name);
        return bytes ? { bytes, dateMs: undefined } : await way.get(name, range, signal);
      },
      async *list(prefix, signal) {
        for (const store of later) await store();
        later = [];
        yield* way.list(prefix, signal);
      },
    };
  }),
  'P4 with the newest too': maintainer((way) => ({
    async delete(name, signal) {
      const [folder, writer = ''] = name.split('/');
      await way.delete(name, signal);
      if (folder !== 'snapshots') return;
      const all = await Array.fromAsync(way.list(`snapshots/${writer}/`, signal));
      const newest = all.toSorted((a, b) => b.modifiedMs - a.modifiedMs)[0];
      if (newest) await way.delete(newest.name, signal);
    },
  })),
  'C1 the other way round, its Date last': machine((way) => {
    const early = new Map<string, ListedObject[]>();
    return {
      async dateMs(signal) {
        for (const prefix of ['packs/', 'tombstones/']) {
          early.set(prefix, await Array.fromAsync(way.list(prefix, signal)));
        }
        return await way.dateMs(signal);
      },
      async *list(prefix, signal) {
        const [folder = ''] = prefix.split('/');
        const seen = early.get(`${folder}/`);
        yield* seen?.filter(({ name }) => name.startsWith(prefix)) ?? way.list(prefix, signal);
      },
    };
  }),
};

/** The tombstones that one run reads or stores. */
function seenTombstones(way: ObjectStore) {
  const names = new Set<string>();
  const see = (name: string): void => {
    if (name.startsWith('tombstones/')) names.add(name);
  };
  const seeing: Change = {
    put(name, body, options, signal) {
      see(name);
      return way.put(name, body, options, signal);
    },
    get(name, range, signal) {
      see(name);
      return way.get(name, range, signal);
    },
  };
  const deleteAll = async (signal: AbortSignal): Promise<void> => {
    for (const name of names) await way.delete(name, signal);
  };
  return { seeing, deleteAll };
}
