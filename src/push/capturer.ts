/**
 * Hands files to the workers in lots and databases to SQLite, and calls back with what became of each. Bounds
 * how much is under way.
 */
import type { BytePath } from '../base/byte-path.ts';
import { throwIfAborted } from '../base/errors.ts';
import { UnderWay } from '../base/under-way.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { CHUNK_BYTES } from '../format/entry.ts';
import type { FileStat } from '../fs/file-stat.ts';
import { PIPELINE } from '../workers/limits.ts';
import type { Blob, CaptureFile, CaptureResult } from '../workers/messages.ts';
import type { Tasks } from '../workers/tasks.ts';
import type { ChunkSink } from './chunk-sink.ts';
import type { DatabaseReader } from './database-reader.ts';
import type { OmissionLog } from './omission-log.ts';

export type ToCapture = {
  /** Absolute. */
  readonly path: BytePath;
  /** Below its root. */
  readonly shown: BytePath;
  readonly group: string;
  readonly secret: { readonly asFile: boolean; readonly asDatabase: boolean };
  readonly expected: FileStat;
  readonly mayBeLedAway: boolean;
};

export type Captured =
  | { readonly kind: 'left out' }
  | {
      readonly kind: 'read';
      readonly size: number;
      readonly chunkBytes: number;
      readonly database: boolean;
      /** None of it was compressed. */
      readonly secret: boolean;
      /** May be believed unchanged as long as `stat` (and `fingerprint`) stay the same. */
      readonly stable: boolean;
      readonly stat: FileStat;
      readonly fingerprint: string;
      readonly ids: Uint8Array;
      /** Of a database that could only be kept as its files: the others of its set, by suffix. */
      readonly beside: ReadonlyMap<string, { readonly size: number; readonly ids: Uint8Array }>;
    };

const NOTHING_BESIDE: ReadonlyMap<string, never> = new Map<string, never>();

type WholeFile = { readonly path: BytePath; readonly size: number; readonly secret: boolean };
type OnCaptured = (captured: Captured) => void;
type InLot = { readonly file: ToCapture; readonly onCaptured: OnCaptured };

/** List and page chunks are handed to the first worker once they are this much. */
const BLOB_BYTES_MAX = 1024 * 1024;

export class Capturer {
  readonly #tasks: Tasks;
  readonly #sink: ChunkSink;
  readonly #databases: DatabaseReader;
  readonly #log: OmissionLog;
  #lot: InLot[] = [];
  #lotBytes = 0;
  readonly #underWay = new UnderWay();

  constructor(tasks: Tasks, sink: ChunkSink, databases: DatabaseReader, log: OmissionLog) {
    this.#tasks = tasks;
    this.#sink = sink;
    this.#databases = databases;
    this.#log = log;
  }

  add(file: ToCapture, onCaptured: OnCaptured): void {
    this.#lot.push({ file, onCaptured });
    this.#lotBytes += file.expected.size;
    const full = this.#lotBytes >= PIPELINE.lotBytes || this.#lot.length >= PIPELINE.lotFiles;
    if (full) this.#sendLot();
  }

  /** Something was given and is not finished. */
  get isBusy(): boolean {
    return this.#underWay.size > 0 || this.#lot.length > 0;
  }

  get isFull(): boolean {
    return this.#underWay.size >= this.#tasks.threads * PIPELINE.lotsInFlightPerWorker;
  }

  /** For who puts much into the sink before the event loop turns: pages are handed on before they are many. */
  handOn(): void {
    if (this.#sink.blobBytes >= BLOB_BYTES_MAX) this.#sendBlobs();
  }

  /** Lets the event loop turn; waits while too much is under way. */
  async turn(signal: AbortSignal): Promise<void> {
    this.handOn();
    await new Promise((resolve) => setImmediate(resolve));
    while (this.isFull) await this.#settleOne(signal);
    this.#underWay.rethrow();
  }

  /** Sends what was gathered, and waits until something is finished. */
  async settle(signal: AbortSignal): Promise<void> {
    this.#sendLot();
    await this.#settleOne(signal);
  }

  async #settleOne(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    await this.#underWay.one();
  }

  /** Waits until everything is finished. */
  async settleAll(signal: AbortSignal): Promise<void> {
    while (this.isBusy) await this.settle(signal);
    this.#underWay.rethrow();
  }

  /** Everything that was put into the sink goes to the first worker, so that pages lie together. */
  async flushBlobs(signal: AbortSignal): Promise<void> {
    this.#sendBlobs();
    await this.settleAll(signal);
  }

  #sendLot(): void {
    if (this.#lot.length === 0) return;
    const lot = this.#lot;
    this.#lot = [];
    this.#lotBytes = 0;
    this.#underWay.add(this.#runLot(lot));
  }

  #sendBlobs(): void {
    for (const blobs of inMessages(this.#sink.takeBlobs())) {
      this.#underWay.add(this.#tasks.run('done', { type: 'store', blobs }, 0));
    }
  }

  async #runLot(lot: readonly InLot[]): Promise<void> {
    const files = lot.map(({ file }) => captureFile(file));
    const answer = await this.#tasks.run('captured', { type: 'capture', files });
    let from = 0;
    for (const [index, { file, onCaptured }] of lot.entries()) {
      const result = answer.results[index];
      if (!result) continue;
      const ids = answer.ids.slice(from, from + result.ids * CHUNK_ID_BYTES);
      from += ids.length;
      if (result.kind === 'sqlite') this.#underWay.add(this.#captureDatabase(file, onCaptured));
      else onCaptured(this.#judge(file, result, ids));
    }
  }

  #judge(file: ToCapture, result: CaptureResult, ids: Uint8Array): Captured {
    if (result.kind === 'vanished') {
      this.#log.omission(file.shown, 'vanished during the push');
      return { kind: 'left out' };
    }
    if (result.kind === 'problem' || result.kind !== 'read') {
      const code = result.kind === 'problem' ? result.code : result.kind;
      const message = result.kind === 'problem' ? result.message : 'it is no regular file any more';
      this.#log.problem(file.shown, code, message);
      return { kind: 'left out' };
    }
    if (result.bytesCut > 0) {
      const what = `${result.bytesCut} bytes of a record that was still being written`;
      this.#log.omission(file.shown, what);
    }
    return {
      kind: 'read',
      size: result.bytesRead,
      chunkBytes: CHUNK_BYTES.other,
      database: false,
      secret: file.secret.asFile,
      stable: result.stable,
      stat: result.stat,
      fingerprint: '',
      ids,
      beside: NOTHING_BESIDE,
    };
  }

  async #captureDatabase(file: ToCapture, onCaptured: OnCaptured): Promise<void> {
    const secret = file.secret.asDatabase;
    const answer = await this.#databases.capture(file, (path, size) =>
      this.#readRanges({ path, size, secret }),
    );
    if (answer.kind === 'left out') {
      if (answer.omission !== undefined) this.#log.omission(file.shown, answer.omission);
      else this.#log.problem(file.shown, answer.code, answer.message);
      return onCaptured({ kind: 'left out' });
    }
    if (answer.problem) this.#log.problem(file.shown, answer.problem.code, answer.problem.message);
    const { size, ids } = answer.read;
    onCaptured({
      kind: 'read',
      size,
      chunkBytes: CHUNK_BYTES.database,
      database: answer.consistent,
      secret,
      stable: answer.stable && answer.consistent,
      stat: file.expected,
      fingerprint: answer.fingerprint,
      ids,
      beside: answer.beside,
    });
  }

  /** Reads a database, or our own private copy of it, in ranges that all workers share. */
  async #readRanges(file: WholeFile): Promise<{ size: number; ids: Uint8Array } | undefined> {
    const { path, size, secret } = file;
    const chunkBytes = CHUNK_BYTES.database;
    const length = PIPELINE.databaseRangeBytes;
    const idsPerRange = (length / chunkBytes) * CHUNK_ID_BYTES;
    const ids = new Uint8Array(Math.ceil(size / chunkBytes) * CHUNK_ID_BYTES);
    let next = 0;
    let isWhole = true;
    const readOn = async (): Promise<void> => {
      for (let at = next++; isWhole && at * length < size; at = next++) {
        const range = { path, offset: at * length, length, chunkBytes, secret };
        const answer = await this.#tasks.run('range captured', { type: 'capture range', range });
        const wanted = Math.min(length, size - at * length);
        isWhole &&= answer.bytes === wanted;
        if (isWhole) ids.set(answer.ids, at * idsPerRange);
      }
    };
    await Promise.all(Array.from({ length: this.#tasks.threads }, readOn));
    return isWhole ? { size, ids } : undefined;
  }
}

/** A message is a buffer that doubles while it is written: of many MiB it would be the peak of a push. */
function inMessages(blobs: readonly Blob[]): Blob[][] {
  const messages: Blob[][] = [];
  let bytes = BLOB_BYTES_MAX;
  for (const blob of blobs) {
    if (bytes >= BLOB_BYTES_MAX) {
      messages.push([]);
      bytes = 0;
    }
    messages.at(-1)?.push(blob);
    bytes += blob.bytes.length;
  }
  return messages;
}

const captureFile = (file: ToCapture): CaptureFile => ({
  path: file.path,
  group: file.group,
  secret: file.secret.asFile,
  mayBeLedAway: file.mayBeLedAway,
  chunkBytes: CHUNK_BYTES.other,
  expected: file.expected,
});
