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
