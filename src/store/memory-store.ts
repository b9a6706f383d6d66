import { systemClock, type Clock } from '../base/clock.ts';
import { throwIfAborted } from '../base/errors.ts';
import { assertName, assertPrefix } from './names.ts';
import type { ByteRange, ListedObject, ObjectStore, RequestCounts } from './object-store.ts';
import { copyInto, cutRange, noCounts } from './ranges.ts';

type Held = { readonly bytes: Uint8Array; readonly modifiedMs: number };

/** A store in this process's memory: the smallest thing that keeps the contract, for tests and models. */
export function openMemoryStore(clock: Pick<Clock, 'nowMs'> = systemClock): ObjectStore {
  const held = new Map<string, Held>();
  const counts: RequestCounts = noCounts();

  const begin = (kind: keyof RequestCounts, name: string, signal: AbortSignal): void => {
    assertName(name);
    throwIfAborted(signal);
    counts[kind] += 1;
  };
  const read = (name: string, range: ByteRange | undefined): Uint8Array | undefined => {
    const object = held.get(name);
    if (object === undefined) return undefined;
    const { start, end } = cutRange(name, range, object.bytes.length);
    return object.bytes.subarray(start, end);
  };

  return {
    location: 'memory',
    async put(name, body, options, signal) {
      begin('put', name, signal);
      const dateMs = clock.nowMs();
      if (options.createOnly === true && held.has(name)) return { outcome: 'exists', dateMs };
      held.set(name, { bytes: Uint8Array.from(body), modifiedMs: dateMs });
      return { outcome: 'stored', dateMs };
    },
    async get(name, range, signal) {
      begin('get', name, signal);
      const bytes = read(name, range);
      return bytes && { bytes: Uint8Array.from(bytes), dateMs: clock.nowMs() };
    },
    async getInto(name, range, into, signal) {
      begin('get', name, signal);
      const bytes = read(name, range);
      return bytes && { length: copyInto(name, bytes, into), dateMs: clock.nowMs() };
    },
    async stat(name, signal) {
      begin('head', name, signal);
      const object = held.get(name);
      return object && { size: object.bytes.length, dateMs: clock.nowMs() };
    },
    async *list(prefix, signal): AsyncGenerator<ListedObject> {
      assertPrefix(prefix);
      throwIfAborted(signal);
      counts.list += 1;
      const dateMs = clock.nowMs();
      for (const [name, { bytes, modifiedMs }] of Array.from(held)) {
        throwIfAborted(signal);
        if (name.startsWith(prefix)) yield { name, size: bytes.length, modifiedMs, dateMs };
      }
    },
    async delete(name, signal) {
      begin('delete', name, signal);
      held.delete(name);
    },
    async dateMs(signal) {
      throwIfAborted(signal);
      counts.head += 1;
      return clock.nowMs();
    },
    counts: () => ({ ...counts }),
    close: async () => {},
  };
}
