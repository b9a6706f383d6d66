/** Many small objects of one folder, a few at a time. */
import { isObjectFault, type FerryError } from '../base/errors.ts';
import { inLanes } from '../base/lanes.ts';
import type { ListedObject } from '../store/object-store.ts';

const READS_AT_ONCE = 8;
/** What is larger is read alone, so that nobody can fill the memory with eight of them. */
const SMALL_BYTES_MAX = 1024 * 1024;

/**
 * In the order of the listing. One that is missing, damaged or foreign is told of and left out; undefined is left out.
 * @param fault told in the order of the listing too, when all were read
 */
export async function readEach<T>(
  listing: AsyncIterable<ListedObject>,
  read: (listed: ListedObject) => Promise<T | undefined>,
  fault: (listed: ListedObject, error: FerryError) => void,
  signal: AbortSignal,
): Promise<T[]> {
  const all: ListedObject[] = [];
  for await (const listed of listing) all.push(listed);
  const found = new Map<ListedObject, T>();
  const faults = new Map<ListedObject, FerryError>();
  const readOne = async (listed: ListedObject): Promise<void> => {
    try {
      const one = await read(listed);
      if (one !== undefined) found.set(listed, one);
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      faults.set(listed, error);
    }
  };
  const isSmall = ({ size }: ListedObject): boolean => size <= SMALL_BYTES_MAX;
  await inLanes(all.filter(isSmall), READS_AT_ONCE, signal, readOne);
  for (const listed of all) if (!isSmall(listed)) await readOne(listed);
  return all.flatMap((listed) => {
    const error = faults.get(listed);
    if (error) fault(listed, error);
    return found.get(listed) ?? [];
  });
}
