/**
 * Walks on a thread of their own, a bounded stretch ahead of whoever uses them: of a push that finds nothing new,
 * half the work is to look at every file, and it waits for nothing.
 */
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import type { BytePath } from '../base/byte-path.ts';
import { assert, FerryError, openFilesLimit, throwIfAborted } from '../base/errors.ts';
import { walkTree, type OmitRule, type WalkItem } from '../fs/walk.ts';
import { encodeBatch, itemsOf, type WalkBatch } from './walk-batch.ts';

/** A root to be walked. What it leaves out is told as data, since no function goes from thread to thread. */
export type RootToWalk<Rules> = { readonly readFrom: BytePath; readonly omit: Rules };

type Setup<Rules> = {
  readonly roots: readonly RootToWalk<Rules>[];
  /** How many batches were used (i32). */
  readonly used: SharedArrayBuffer;
};
/** 'end': of one root. */
type FromWalk = WalkBatch | 'end';

const BATCH_ENTRIES = 500;
const BATCHES_AHEAD_MAX = 8;

export class WalkAhead<Rules> {
  readonly #worker: Worker;
  readonly #used = new Int32Array(new SharedArrayBuffer(4));
  readonly #signal: AbortSignal;
  readonly #heard: FromWalk[] = [];
  #failure: FerryError | undefined;
  #wake: () => void = () => undefined;

  /** @param entry the file of the thread, which calls `serveWalks` */
  constructor(entry: URL, roots: readonly RootToWalk<Rules>[], signal: AbortSignal) {
    const setup: Setup<Rules> = {
      roots: roots.map(({ readFrom, omit }) => ({ readFrom, omit })),
      used: this.#used.buffer,
    };
    this.#worker = new Worker(entry, {
      workerData: setup,
      // Not those of this process: a test runner or profiler has some that no worker may have.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    this.#worker.on('message', (message: FromWalk) => {
      this.#heard.push(message);
      this.#wake();
    });
    this.#worker.on('error', (error) => this.#fail(diedOf(error)));
    this.#worker.on('exit', () =>
      this.#fail(new FerryError('interrupted', 'the walk was stopped')),
    );
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** The items of the next root, batch by batch. To be read to its end before the one of the root after it. */
  async *next(): AsyncGenerator<Iterable<WalkItem>, void> {
    for (;;) {
      const message = await this.#hear();
      if (message === 'end') return;
      Atomics.add(this.#used, 0, 1);
      Atomics.notify(this.#used, 0);
      yield itemsOf(message);
    }
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    await this.#worker.terminate();
  }

  async #hear(): Promise<FromWalk> {
    for (;;) {
      throwIfAborted(this.#signal);
      const message = this.#heard.shift();
      if (message !== undefined) return message;
      if (this.#failure) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  readonly #onAbort = (): void => this.#wake();

  #fail(failure: FerryError): void {
    this.#failure ??= failure;
    this.#wake();
  }
}

function diedOf(error: unknown): FerryError {
  return openFilesLimit(error) ?? new FerryError('bug', `the walk died: ${String(error)}`);
}

/** The other side: all that the thread does. @param ruleOf the rule that the data of a root stands for */
export function serveWalks<Rules>(ruleOf: (rules: Rules) => OmitRule): void {
  assert(!isMainThread && parentPort, 'this file runs as a worker thread');
  const port = parentPort;
  const setup = workerData as Setup<Rules>;
  const used = new Int32Array(setup.used);
  let sent = 0;
  const send = (items: readonly WalkItem[]): void => {
    port.postMessage(encodeBatch(items));
    sent += 1;
    for (let taken = Atomics.load(used, 0); sent - taken >= BATCHES_AHEAD_MAX;) {
      Atomics.wait(used, 0, taken);
      taken = Atomics.load(used, 0);
    }
  };
  for (const { readFrom, omit } of setup.roots) {
    let items: WalkItem[] = [];
    for (const item of walkTree(readFrom, { omit: ruleOf(omit) })) {
      items.push(item);
      if (items.length < BATCH_ENTRIES) continue;
      send(items);
      items = [];
    }
    if (items.length > 0) send(items);
    port.postMessage('end');
  }
}
