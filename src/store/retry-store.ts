import type { Clock } from '../base/clock.ts';
import { FerryError, throwIfAborted } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import type { ListedObject, ObjectStore, PutAnswer, PutOptions } from './object-store.ts';
import { compareStored } from './same-content.ts';

export type RetryLimits = {
  /** Tries in all; 1 means none again. */
  readonly attemptsMax: number;
  /** The same, for a store that has answered before: its address is right, and it is worth waiting for. */
  readonly attemptsOnceAnsweredMax: number;
  readonly delayFirstMs: number;
  readonly delayMaxMs: number;
};

export type RetryDeps = {
  readonly clock: Pick<Clock, 'sleep'>;
  /** 0 ≤ value < 1, for the jitter. */
  readonly random: () => number;
  readonly emit: Emit;
};

/**
 * Waits of half a minute in all (16 s at least), and of nearly a minute in the middle of something (36 s at least): a
 * server's restart or a line that was cut is ridden out.
 */
export const RETRY_LIMITS: RetryLimits = {
  attemptsMax: 8,
  attemptsOnceAnsweredMax: 10,
  delayFirstMs: 250,
  delayMaxMs: 20_000,
};

/**
 * Tries again what may help to try again, and says so each time. The only place that does: a second one under it
 * would multiply the waits.
 */
export function retryStore(store: ObjectStore, deps: RetryDeps, limits: RetryLimits): ObjectStore {
  const story: Story = { deps, limits, hasAnswered: false };
  const again = <T>(
    operation: string,
    name: string,
    signal: AbortSignal,
    attempt: (first: boolean) => Promise<T>,
  ): Promise<T> => withRetry({ operation, name, story, signal }, attempt);

  const { deleteMany } = store;
  return {
    location: store.location,
    put: (name, body, options, signal) =>
      again('put', name, signal, async (first) => {
        const answer = await store.put(name, body, options, signal);
        return first ? answer : ownEarlierPut(store, name, body, options, answer, signal);
      }),
    get: (name, range, signal) => again('get', name, signal, () => store.get(name, range, signal)),
    getInto: (name, range, into, signal) =>
      again('get', name, signal, () => store.getInto(name, range, into, signal)),
    stat: (name, signal) => again('stat', name, signal, () => store.stat(name, signal)),
    list: (prefix, signal) => listAgain(store, prefix, story, signal),
    delete: (name, signal) => again('delete', name, signal, () => store.delete(name, signal)),
    ...(deleteMany && {
      deleteMany: (names: readonly string[], signal: AbortSignal) =>
        again('delete', `${names.length} objects`, signal, () => deleteMany(names, signal)),
    }),
    dateMs: (signal) => again('clock', '', signal, () => store.dateMs(signal)),
    counts: () => store.counts(),
    ...(store.presign && { presign: store.presign }),
    ...(store.oldVersions && { oldVersions: store.oldVersions }),
    ...(store.retentions && { retentions: store.retentions }),
    close: () => store.close(),
  };
}

/** "Exists" after a try whose answer was lost may be our own object. */
async function ownEarlierPut(
  store: ObjectStore,
  name: string,
  body: Uint8Array,
  options: PutOptions,
  answer: PutAnswer,
  signal: AbortSignal,
): Promise<PutAnswer> {
  if (options.createOnly !== true || answer.outcome !== 'exists') return answer;
  try {
    const found = await compareStored(store, name, body, signal);
    return found.what === 'same' ? { outcome: 'stored', dateMs: found.dateMs } : answer;
  } catch (error) {
    // Who may not read cannot know whose it is, and is told what the server said.
    if (error instanceof FerryError && error.code === 'store-denied') return answer;
    throw error;
  }
}

/**
 * A listing that breaks off starts again from the top and leaves out what was yielded: no server's order is
 * relied on. Only tries that bring nothing new count against the limit.
 */
async function* listAgain(
  store: ObjectStore,
  prefix: string,
  story: Story,
  signal: AbortSignal,
): AsyncGenerator<ListedObject> {
  const seen = new Set<string>();
  for (let attempt = 1; ; attempt++) {
    try {
      for await (const object of store.list(prefix, signal)) {
        if (seen.has(object.name)) continue;
        seen.add(object.name);
        attempt = 1;
        story.hasAnswered = true;
        yield object;
      }
      story.hasAnswered = true;
      return;
    } catch (error) {
      await pauseOrThrow({ operation: 'list', name: prefix, story, signal }, attempt, error);
    }
  }
}

/** Of one store, for all that is asked of it. */
type Story = {
  readonly deps: RetryDeps;
  readonly limits: RetryLimits;
  hasAnswered: boolean;
};

type Call = {
  readonly operation: string;
  readonly name: string;
  readonly story: Story;
  readonly signal: AbortSignal;
};

async function withRetry<T>(call: Call, attempt: (first: boolean) => Promise<T>): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      const answer = await attempt(count === 1);
      call.story.hasAnswered = true;
      return answer;
    } catch (error) {
      await pauseOrThrow(call, count, error);
    }
  }
}

async function pauseOrThrow(call: Call, attempt: number, error: unknown): Promise<void> {
  throwIfAborted(call.signal);
  const { operation, name } = call;
  const { deps, limits, hasAnswered } = call.story;
  const attemptsMax = hasAnswered ? limits.attemptsOnceAnsweredMax : limits.attemptsMax;
  if (attempt >= attemptsMax || !mayHelp(error, call, attempt)) throw error;
  const delayMs = delayFor(attempt, limits, deps.random(), error);
  deps.emit({ type: 'retry', operation, name, attempt, delayMs, message: error.message });
  try {
    await deps.clock.sleep(delayMs, call.signal);
  } catch (interruption) {
    throwIfAborted(call.signal);
    throw interruption;
  }
}

function mayHelp(error: unknown, { operation, story }: Call, attempt: number): error is FerryError {
  if (!(error instanceof FerryError)) return false;
  // Without a line some systems say that there is no such host; one that has answered has not lost its name.
  if (story.hasAnswered && error.details['isHostUnknown'] === true) return true;
  // A body that was damaged on its way up is worth one more try; then the digests themselves are wrong.
  return (
    error.retryable || (operation === 'put' && error.code === 'object-damaged' && attempt === 1)
  );
}

/** Doubling, between half and the whole of it by chance, and no sooner than the server asked for. */
function delayFor(attempt: number, limits: RetryLimits, random: number, error: FerryError): number {
  const wholeMs = Math.min(limits.delayMaxMs, limits.delayFirstMs * 2 ** (attempt - 1));
  const askedMs = Number(error.details['retryAfterMs'] ?? 0);
  return Math.round(Math.max(wholeMs * (0.5 + random / 2), Math.min(askedMs, limits.delayMaxMs)));
}
