/** Many small objects of one folder, a few at a time. */
import { isObjectFault, throwIfAborted, type FerryError } from '../base/errors.ts';
import type { ListedObject } from '../store/object-store.ts';

const READS_AT_ONCE = 8;
/** What is larger is read alone, so that nobody can fill the memory with eight of them. */
const SMALL_BYTES_MAX = 1024 * 1024;

/**
 * In the order of the listing. One that is missing, damaged or foreign is told of and left out; undefined is left out.
 * @param fault told in the order of the listing too
 */
export async function readEach<T>(
  listing: AsyncIterable<ListedObject> | Iterable<ListedObject>,
  read: (listed: ListedObject) => Promise<T | undefined>,
  fault: (listed: ListedObject, error: FerryError) => void,
  signal: AbortSignal,
): Promise<T[]> {
  const found: T[] = [];
  const good = (_listed: ListedObject, one: T | undefined): void => {
    if (one !== undefined) found.push(one);
  };
  await visitEach(listing, read, { good, fault }, signal);
  return found;
}

export type EachVisitor<T> = {
  good(listed: ListedObject, one: T): void;
  fault(listed: ListedObject, error: FerryError): void;
};

/** One after the other, while a few of those that follow are read already. */
export async function visitEach<T>(
  listing: AsyncIterable<ListedObject> | Iterable<ListedObject>,
  read: (listed: ListedObject) => Promise<T>,
  visitor: EachVisitor<T>,
  signal: AbortSignal,
): Promise<void> {
  const all: ListedObject[] = [];
  for await (const listed of listing) all.push(listed);
  const ahead: Promise<() => void>[] = [];
  const tellNext = async (): Promise<void> => (await ahead.shift())?.();
  try {
    for (const listed of all) {
      const aheadMax = listed.size <= SMALL_BYTES_MAX ? READS_AT_ONCE - 1 : 0;
      while (ahead.length > aheadMax) await tellNext();
      throwIfAborted(signal);
      ahead.push(readOne(listed, read, visitor));
      if (aheadMax === 0) await tellNext();
    }
    while (ahead.length > 0) await tellNext();
  } finally {
    // Nothing is asked after the last word.
    await Promise.all(ahead);
  }
}

/** What to say of it; never fails itself. */
async function readOne<T>(
  listed: ListedObject,
  read: (listed: ListedObject) => Promise<T>,
  visitor: EachVisitor<T>,
): Promise<() => void> {
  try {
    const one = await read(listed);
    return () => visitor.good(listed, one);
  } catch (error) {
    return () => {
      if (!isObjectFault(error)) throw error;
      visitor.fault(listed, error);
    };
  }
}
