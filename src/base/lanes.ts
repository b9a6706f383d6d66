/** The same work on many things, a few at a time. */
import { throwIfAborted } from './errors.ts';

/** Ends when all that was begun has ended; the first failure stops what has not begun, and is thrown. */
export async function inLanes<T>(
  items: Iterable<T>,
  lanes: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const left = Iterator.from(items);
  let failure: { readonly error: unknown } | undefined;
  const lane = async (): Promise<void> => {
    for (let next = left.next(); !failure && next.done !== true; next = left.next()) {
      try {
        throwIfAborted(signal);
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  if (failure) throw failure.error;
}

/** Several things at once: the first failure stops them all, and is thrown. */
export async function together(
  signal: AbortSignal,
  ...works: readonly ((signal: AbortSignal) => Promise<void>)[]
): Promise<void> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  const run = async (work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    try {
      await work(either);
    } catch (error) {
      failure ??= { error };
      stop.abort();
    }
  };
  await Promise.all(works.map(run));
  if (failure) throw failure.error;
}

/**
 * What `begin` makes of each, in their order, while up to `ahead` of them are under way. A failure is thrown where its
 * turn comes; nothing goes on behind whoever stops early.
 */
export async function* begunAhead<T, R>(
  items: AsyncIterable<T>,
  ahead: number,
  begin: (item: T) => Promise<R>,
): AsyncGenerator<R, void> {
  const begun: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const one = begin(item);
      one.catch(() => undefined);
      begun.push(one);
      if (begun.length >= ahead) yield* first(begun);
    }
    while (begun.length > 0) yield* first(begun);
  } finally {
    await Promise.allSettled(begun);
  }
}

async function* first<R>(begun: Promise<R>[]): AsyncGenerator<R, void> {
  const one = begun.shift();
  if (one) yield await one;
}
