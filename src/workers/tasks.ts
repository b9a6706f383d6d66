/** Worker threads as one queue of jobs: the next job goes to the least busy thread, the first one preferred. */
import { extname } from 'node:path';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { assert, ERROR_CODES, FerryError, openFilesLimit, type ErrorCode } from '../base/errors.ts';
import { PIPELINE } from './limits.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import type { BuiltPack } from './pack-builder.ts';
import { keepHeapsSmall } from './small-heaps.ts';

type Job = Extract<ToWorker, { readonly job: number }>;
type JobBody = Job extends infer J ? (J extends Job ? Omit<J, 'job'> : never) : never;
type Answer = Exclude<FromWorker, { readonly type: 'ready' | 'pack' | 'failed' }>;
type Begin = Extract<ToWorker, { readonly type: `begin ${string}` }>;
type Waiting = { resolve(answer: Answer): void; reject(error: Error): void };
type Thread = {
  readonly worker: Worker;
  readonly waiting: Map<number, Waiting>;
  failed: Error | undefined;
};

export const workerCount = (): number =>
  Math.max(1, Math.min(PIPELINE.workersMax, availableParallelism()));

export class Tasks {
  /** Started when there is work for them: a push with nothing to do starts none. */
  readonly #threads: Thread[] = [];
  readonly #threadsMax: number;
  readonly #onPack: (pack: BuiltPack) => void;
  /** The last of each kind, for threads that start later. */
  readonly #begun = new Map<Begin['type'], Begin>();
  #lastJob = 0;

  /** @param onPack called with every pack that a worker completed, before the answer of the job that completed it */
  constructor(threadsMax: number, onPack: (pack: BuiltPack) => void) {
    this.#threadsMax = threadsMax;
    this.#onPack = onPack;
  }

  get threads(): number {
    return this.#threadsMax;
  }

  get threadsStarted(): number {
    return this.#threads.length;
  }

  tellAll(message: Begin): void {
    this.#begun.set(message.type, message);
    for (const { worker } of this.#threads) worker.postMessage(message);
  }

  /** Now, for who knows that there will be work: a thread takes a tenth of a second until it can do any. */
  startAll(): void {
    while (this.#threads.length < this.#threadsMax) this.#threads.push(this.#start());
  }

  /** @param thread which one; the least busy by default, and the first one before any other */
  run<T extends Answer['type']>(
    expected: T,
    body: JobBody,
    thread = this.#leastBusy(),
  ): Promise<Extract<Answer, { readonly type: T }>> {
    while (this.#threads.length <= thread) this.#threads.push(this.#start());
    const to = this.#threads[thread];
    assert(to, `no thread ${thread}`);
    const job = ++this.#lastJob;
    return new Promise((resolve, reject) => {
      if (to.failed) return reject(to.failed);
      to.waiting.set(job, {
        reject,
        resolve: (answer) => {
          assert(answer.type === expected, `a worker answered ${answer.type}`);
          // The type was just compared; TypeScript cannot carry that into the generic.
          resolve(answer as Extract<Answer, { readonly type: T }>);
        },
      });
      to.worker.postMessage({ ...body, job });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map(({ worker }) => worker.terminate()));
  }

  #leastBusy(): number {
    let best = 0;
    for (let index = 0; index < this.#threadsMax; index++) {
      const waiting = this.#threads[index]?.waiting.size ?? 0;
      if (waiting < (this.#threads[best]?.waiting.size ?? 0)) best = index;
    }
    return best;
  }

  #start(): Thread {
    keepHeapsSmall();
    const entry = new URL(`./worker-main${extname(import.meta.filename)}`, import.meta.url);
    const worker = new Worker(entry, {
      // Not those of this process: a test runner or profiler has some that no worker may have.
      execArgv: [],
      resourceLimits: { maxYoungGenerationSizeMb: 4 },
    });
    const thread: Thread = { worker, waiting: new Map(), failed: undefined };
    worker.on('message', (message: FromWorker) => this.#hear(thread, message));
    worker.on('error', (error) =>
      fail(
        thread,
        openFilesLimit(error) ??
          new FerryError('bug', `a worker died: ${String(error)}`, { cause: error }),
      ),
    );
    worker.on('exit', () => fail(thread, new FerryError('interrupted', 'a worker was stopped')));
    for (const message of this.#begun.values()) worker.postMessage(message);
    return thread;
  }

  #hear(thread: Thread, message: FromWorker): void {
    if (message.type === 'ready') return;
    if (message.type === 'pack') return this.#onPack(message.pack);
    const waiting = thread.waiting.get(message.job);
    thread.waiting.delete(message.job);
    if (message.type !== 'failed') return waiting?.resolve(message);
    const code = message.code in ERROR_CODES ? (message.code as ErrorCode) : 'bug';
    waiting?.reject(
      new FerryError(
        code,
        message.message,
        message.hint === undefined ? {} : { hint: message.hint },
      ),
    );
  }
}

function fail(thread: Thread, error: Error): void {
  thread.failed ??= error;
  for (const { reject } of thread.waiting.values()) reject(thread.failed);
  thread.waiting.clear();
}
