/** More rules broken on purpose: of tickets, of installs that moved, and of what a store loses. */
import type { ObjectStore } from '../../src/store/object-store.ts';
import type { BrokenRule, Climate } from './story.ts';
import { DAY_MS } from './world.ts';

type Way = (way: ObjectStore) => ObjectStore;

const TICKETS: Climate = {
  isPeaceful: true,
  habits: { handsOff: 0.2, kill: 0, sleep: 0, skips: 0 },
  keepers: { kill: 0, sleep: 0, skips: 0 },
  rules: { everyDays: 1, graceMs: 8 * DAY_MS, keepLast: 1 },
};
const MOVES: Climate = { decay: 0.3, movesFrom: 'tower' };
const MOVES_LATE: Climate = {
  decay: 0.5,
  movesFrom: 'tower',
  habits: { sleep: 0, skips: 0.9, kill: 0, cacheLost: 0 },
  rules: { everyDays: 1, graceMs: 8 * DAY_MS, keepLast: 1 },
};
const REPACKED: Climate = {
  decay: 0,
  isPeaceful: true,
  repacks: { deadShareMax: 0.01 },
  habits: { sleep: 0, skips: 0, kill: 0 },
  keepers: { sleep: 0.02, sleepDays: 25, kill: 0, skips: 0 },
  rules: { everyDays: 1, graceMs: 8 * DAY_MS, keepLast: 2 },
};
const LOSSES: Climate = { decay: 0.1, isPeaceful: true };

/** Objects below a prefix as if they were stored `byMs` later. */
const later =
  (prefix: string, byMs: number): Way =>
  (way) => ({
    ...way,
    async *list(wanted, signal) {
      for await (const object of way.list(wanted, signal)) {
        const isMeant = object.name.startsWith(prefix);
        yield isMeant ? { ...object, modifiedMs: object.modifiedMs + byMs } : object;
      }
    },
  });

const hiding =
  (prefix: string): Way =>
  (way) => ({
    ...way,
    async *list(wanted, signal) {
      if (!wanted.startsWith(prefix)) yield* way.list(wanted, signal);
    },
  });

/** Whoever looks by this sees packs as they were sent, whatever became of them. */
function asSent(): { readonly machine: Way; readonly looking: Way } {
  const sent = new Map<string, Uint8Array>();
  return {
    machine: (way) => ({
      ...way,
      put(name, body, options, signal) {
        if (name.startsWith('packs/')) sent.set(name, Buffer.from(body));
        return way.put(name, body, options, signal);
      },
    }),
    looking: (way) => ({
      ...way,
      async get(name, range, signal) {
        const bytes = sent.get(name);
        if (!bytes) return await way.get(name, range, signal);
        const { offset = 0, length = bytes.length } = range ?? {};
        return { bytes: bytes.subarray(offset, offset + length), dateMs: undefined };
      },
      async stat(name, signal) {
        const bytes = sent.get(name);
        return bytes ? { size: bytes.length, dateMs: undefined } : await way.stat(name, signal);
      },
    }),
  };
}

/** What a machine took over from another one is there for ever, it believes. */
function trustingAdopted(): BrokenRule {
  const adopted = new Map<string, number>();
  return {
    lander: (way) => ({
      ...way,
      async get(name, range, signal) {
        const answer = await way.get(name, range, signal);
        if (answer && !range && name.startsWith('packs/')) adopted.set(name, answer.bytes.length);
        return answer;
      },
    }),
    machine: (way, name) => (name === 'heir' ? showing(way, adopted) : way),
  };
}

const showing = (way: ObjectStore, sizes: ReadonlyMap<string, number>): ObjectStore => ({
  ...way,
  async *list(prefix, signal) {
    const left = new Map([...sizes].filter(([name]) => name.startsWith(prefix)));
    for await (const object of way.list(prefix, signal)) {
      left.delete(object.name);
      yield object;
    }
    for (const [name, size] of left) yield { name, size, modifiedMs: 0, dateMs: undefined };
  },
});

export type BrokenOne = {
  readonly breakRule: () => BrokenRule;
  readonly climate: Climate;
  readonly firstSeed?: number;
};

export const BROKEN_LOSSES: Readonly<Record<string, BrokenOne>> = {
  'P4 without looking at tickets': {
    breakRule: () => ({ maintainer: hiding('grants/') }),
    climate: TICKETS,
  },
  'P4 with tickets that live as long as they say': {
    breakRule: () => ({ maintainer: later('grants/', 1000 * DAY_MS) }),
    climate: { ...TICKETS, isPeaceful: false },
  },
  'P4 with claims that go after half a year': {
    breakRule: () => ({ maintainer: later('claims/', -182 * DAY_MS) }),
    climate: TICKETS,
  },
  'C2 without looking whether what was adopted is there': {
    breakRule: trustingAdopted,
    climate: MOVES_LATE,
  },
  'adoption of what was not read': {
    breakRule: () => {
      const { machine, looking } = asSent();
      return { machine, lander: looking };
    },
    climate: MOVES,
  },
  'a check that does not read': {
    breakRule: () => {
      const { machine, looking } = asSent();
      return { machine, caretaker: looking };
    },
    climate: LOSSES,
  },
  'a repair that announces nothing': {
    breakRule: () => ({
      caretaker: (way) => ({
        ...way,
        put: async (name, body, options, signal) =>
          name.startsWith('tombstones/')
            ? { outcome: 'stored', dateMs: undefined }
            : await way.put(name, body, options, signal),
      }),
    }),
    climate: LOSSES,
  },
  'a pull of the newest, whole or not': {
    breakRule: () => {
      const { machine, looking } = asSent();
      return { machine, puller: looking };
    },
    climate: LOSSES,
  },
  'repacking all but one chunk of a snapshot': {
    breakRule: () => ({ told: (chunks) => chunks.slice(1) }),
    climate: REPACKED,
  },
};
