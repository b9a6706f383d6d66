import { randomBytes } from 'node:crypto';
import { FerryError } from '../base/errors.ts';
import type { ObjectStore } from './object-store.ts';
import type { Finding, ProbeDeps, ProbeReport } from './probe.ts';

/** One run of a probe: what it wrote, how long answers took, what it could not find out. */
export type ProbeRun = {
  readonly store: ObjectStore;
  readonly signal: AbortSignal;
  /** A new name below `probe/`, remembered for removal. */
  newName(): string;
  /** The answer; undefined, with a line in the report, where this store or this credential does not give one. */
  ask<T>(what: string, question: () => Promise<T>): Promise<T | undefined>;
  finish(): Promise<Pick<ProbeReport, 'delete' | 'left' | 'unknown' | 'latencyMs'>>;
};

/** Codes that end a probe: nothing further could be learned. */
const HOPELESS = new Set([
  'repository-missing',
  'store-clock',
  'store-unreachable',
  'interrupted',
  'bug',
]);

export function startProbe(store: ObjectStore, deps: ProbeDeps, signal: AbortSignal): ProbeRun {
  const names: string[] = [];
  const durationsMs: number[] = [];
  const unknown: { what: string; why: string }[] = [];

  const ask = async <T>(what: string, question: () => Promise<T>): Promise<T | undefined> => {
    const startMs = deps.clock.nowMs();
    try {
      const answer = await question();
      durationsMs.push(deps.clock.nowMs() - startMs);
      return answer;
    } catch (error) {
      if (!(error instanceof FerryError) || HOPELESS.has(error.code)) throw error;
      unknown.push({ what, why: error.message });
      return undefined;
    }
  };
  const remove = async (name: string): Promise<Finding> => {
    const gone = await ask(`delete ${name}`, async () => {
      await store.delete(name, signal);
      return true;
    });
    return gone === true ? 'yes' : 'no';
  };
  return {
    store,
    signal,
    ask,
    newName: () => {
      const name = `probe/${randomBytes(16).toString('hex')}`;
      names.push(name);
      return name;
    },
    finish: async () => {
      const left: string[] = [];
      let deletes: Finding = 'unknown';
      for (const name of names) {
        if (deletes === 'no') left.push(name);
        else {
          deletes = await remove(name);
          if (deletes === 'no') left.push(name);
        }
      }
      const sorted = durationsMs.sort((a, b) => a - b);
      return { delete: deletes, left, unknown, latencyMs: sorted[sorted.length >> 1] ?? 0 };
    },
  };
}

/** Whether an object can be read whole and in part, and is listed at once. */
export async function probeReads(
  run: ProbeRun,
  name: string,
  body: Uint8Array,
): Promise<Pick<ProbeReport, 'read' | 'rangeReads' | 'list'>> {
  const { store, signal } = run;
  const whole = await run.ask('reading', () => store.get(name, undefined, signal));
  const part = await run.ask('byte ranges', () =>
    store.get(name, { offset: 3, length: 4 }, signal),
  );
  const listed = await run.ask('listing', async () => {
    for await (const object of store.list('probe/', signal)) {
      if (object.name === name) return object.size === body.length;
    }
    return false;
  });
  return {
    read: findingOf(whole && Buffer.from(body).equals(whole.bytes)),
    rangeReads: findingOf(part && Buffer.from(body.subarray(3, 7)).equals(part.bytes)),
    list: findingOf(listed),
  };
}

export function findingOf(holds: boolean | undefined): Finding {
  if (holds === undefined) return 'unknown';
  return holds ? 'yes' : 'no';
}
