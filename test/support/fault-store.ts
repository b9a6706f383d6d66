import type { ObjectStore } from '../../src/store/object-store.ts';

export type StoreOperation = {
  /** 1 for the first. */
  readonly number: number;
  readonly kind: 'put' | 'get' | 'stat' | 'list' | 'delete' | 'date';
  readonly name: string;
};

export type FaultPlan = {
  /** The world stops at this operation, and at every later one. */
  readonly stopAt?: number;
  /** Whether the operation it stops at still has its effect. */
  readonly stop?: 'before' | 'after';
  /** An error instead of the operation. */
  readonly refuse?: (operation: StoreOperation) => Error | undefined;
  /** A put that answers 200 and stores nothing. */
  readonly lose?: (operation: StoreOperation) => boolean;
};

/** What a process that was killed would have seen: nothing further. No FerryError, so that nobody retries it. */
export class WorldStopped extends Error {
  readonly operation: StoreOperation;

  constructor(operation: StoreOperation) {
    super(
      `the world stopped at ${operation.kind} ${operation.name} (operation ${operation.number})`,
    );
    this.name = 'WorldStopped';
    this.operation = operation;
  }
}

export type FaultyStore = ObjectStore & { readonly operations: readonly StoreOperation[] };

/** A store on which things go wrong by plan, at any operation; without a plan it only writes them down. */
export function faultStore(store: ObjectStore, plan: FaultPlan = {}): FaultyStore {
  const operations: StoreOperation[] = [];
  const stopAt = plan.stopAt ?? Infinity;

  const begin = (kind: StoreOperation['kind'], name: string): StoreOperation => {
    const operation: StoreOperation = { number: operations.length + 1, kind, name };
    operations.push(operation);
    const past = operation.number > stopAt;
    if (past || (operation.number === stopAt && plan.stop !== 'after'))
      throw new WorldStopped(operation);
    const refusal = plan.refuse?.(operation);
    if (refusal) throw refusal;
    return operation;
  };
  /** Also stops those that were under way when another operation stopped the world. */
  const end = (operation: StoreOperation): void => {
    if (operations.length >= stopAt) throw new WorldStopped(operation);
  };
  const during = async <T>(
    kind: StoreOperation['kind'],
    name: string,
    act: (operation: StoreOperation) => Promise<T>,
  ): Promise<T> => {
    const operation = begin(kind, name);
    const answer = await act(operation);
    end(operation);
    return answer;
  };

  return {
    operations,
    location: store.location,
    put: (name, body, options, signal) =>
      during('put', name, async (operation) =>
        plan.lose?.(operation) === true
          ? { outcome: 'stored', dateMs: await store.dateMs(signal) }
          : store.put(name, body, options, signal),
      ),
    get: (name, range, signal) => during('get', name, () => store.get(name, range, signal)),
    getInto: (name, range, into, signal) =>
      during('get', name, () => store.getInto(name, range, into, signal)),
    stat: (name, signal) => during('stat', name, () => store.stat(name, signal)),
    async *list(prefix, signal) {
      const operation = begin('list', prefix);
      for await (const object of store.list(prefix, signal)) {
        yield object;
        end(operation);
      }
      end(operation);
    },
    delete: (name, signal) => during('delete', name, () => store.delete(name, signal)),
    dateMs: (signal) => during('date', '', () => store.dateMs(signal)),
    counts: () => store.counts(),
    close: () => store.close(),
  };
}
