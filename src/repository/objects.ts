/** Reading and writing whole small objects, with the errors that name them. */
import { FerryError } from '../base/errors.ts';
import type { GetAnswer, ObjectStore, PutAnswer } from '../store/object-store.ts';

/** @throws object-missing, object-damaged (longer than such an object can be) */
export async function readObject(
  store: ObjectStore,
  name: string,
  bytesMax: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  return (await readAnswer(store, name, bytesMax, signal)).bytes;
}

/** The same, with what the store says of it. */
export async function readAnswer(
  store: ObjectStore,
  name: string,
  bytesMax: number,
  signal: AbortSignal,
): Promise<GetAnswer> {
  const answer = await store.get(name, undefined, signal);
  if (!answer) {
    throw new FerryError('object-missing', `${name} is missing from ${store.location}`, {
      hint: 'Somebody deleted it, or the store lost it: stateferry check names what depends on it.',
      details: { object: name },
    });
  }
  if (answer.bytes.length > bytesMax) {
    throw new FerryError('object-damaged', `${name} is longer than such an object can be`, {
      details: { object: name },
    });
  }
  return answer;
}

/** Stores an object under a fresh random name: it can only exist already when our own retry stored it. */
export function writeFresh(
  store: ObjectStore,
  name: string,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<PutAnswer> {
  return store.put(name, bytes, { isFresh: true }, signal);
}

/** RFC 3339 with milliseconds, UTC. */
export const timeText = (ms: number): string => new Date(ms).toISOString();

export function damaged(name: string, why: string): FerryError {
  return new FerryError('object-damaged', `${name} is damaged: ${why}`, {
    details: { object: name },
  });
}
