import { assert, FerryError, throwIfAborted } from '../base/errors.ts';
import type { ObjectStore } from './object-store.ts';

/**
 * Holds the requests in flight to a number; the rest wait in order. A listing is not held: it asks for one page at
 * a time, and one that held its place while its consumer works could wait for itself.
 */
export function limitStore(store: ObjectStore, requestsInFlightMax: number): ObjectStore {
  const gate = createGate(requestsInFlightMax);
  const { deleteMany } = store;
  return {
    location: store.location,
    put: (name, body, options, signal) =>
      gate(signal, () => store.put(name, body, options, signal)),
    get: (name, range, signal) => gate(signal, () => store.get(name, range, signal)),
    getInto: (name, range, into, signal) =>
      gate(signal, () => store.getInto(name, range, into, signal)),
    stat: (name, signal) => gate(signal, () => store.stat(name, signal)),
    list: (prefix, signal) => store.list(prefix, signal),
    delete: (name, signal) => gate(signal, () => store.delete(name, signal)),
    ...(deleteMany && {
      deleteMany: (names: readonly string[], signal: AbortSignal) =>
        gate(signal, () => deleteMany(names, signal)),
    }),
    dateMs: (signal) => gate(signal, () => store.dateMs(signal)),
    counts: () => store.counts(),
    ...(store.presign && { presign: store.presign }),
    ...(store.oldVersions && { oldVersions: store.oldVersions }),
    ...(store.retentions && { retentions: store.retentions }),
    close: () => store.close(),
  };
}

type Gate = <T>(signal: AbortSignal, pass: () => Promise<T>) => Promise<T>;

function createGate(placesMax: number): Gate {
  assert(Number.isInteger(placesMax) && placesMax > 0, 'a limit of at least one');
  let taken = 0;
  const waiting: (() => void)[] = [];

  const enter = async (signal: AbortSignal): Promise<void> => {
    throwIfAborted(signal);
    if (taken < placesMax) {
      taken += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const called = (): void => {
        signal.removeEventListener('abort', givenUp);
        resolve();
      };
      const givenUp = (): void => {
        waiting.splice(waiting.indexOf(called), 1);
        reject(new FerryError('interrupted', 'interrupted', { cause: signal.reason }));
      };
      waiting.push(called);
      signal.addEventListener('abort', givenUp, { once: true });
    });
  };
  const leave = (): void => {
    const next = waiting.shift();
    if (next) next();
    else taken -= 1;
  };

  return async (signal, pass) => {
    await enter(signal);
    try {
      throwIfAborted(signal); // aborted between being called and waking up
      return await pass();
    } finally {
      leave();
    }
  };
}
