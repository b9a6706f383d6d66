/** What main thread and workers say to each other. Bulk data lies in shared memory, never in a message. */
import type { BytePath } from '../base/byte-path.ts';
import type { ObjectKey } from '../crypto/frames.ts';
import type { ReadLiveResult } from '../fs/read-live.ts';
import type { FileStat } from '../fs/file-stat.ts';
import type { ChunkPlace } from '../format/chunk-place.ts';
import type { FileKind, FileVerdict } from '../fs/whole-file.ts';
import type { PlaceOptions } from '../fs/place.ts';
import type { SharedChunkTable } from './chunk-table.ts';
import type { BuiltPack } from './pack-builder.ts';
import type { SharedPackPool } from './pack-pool.ts';
import type { ReadBack, RestoredFile } from './read-back-task.ts';
import type { RestoreFile } from './restore-task.ts';

/** What a run of captures shares; sent once to every worker. */
export type CaptureSetup = {
  readonly pool: SharedPackPool;
  readonly table: SharedChunkTable;
  readonly chunkIdKey: Uint8Array;
  /** Two counters (i64): bytes read so far, and those of chunks that nobody had stored. */
  readonly counters: SharedArrayBuffer;
};

export type CaptureFile = {
  /** Absolute. */
  readonly path: BytePath;
  /** Small files with the same group share a compression context: one directory of one root. */
  readonly group: string;
  readonly secret: boolean;
  /** Somebody could put a link in the place of a folder on the way. */
  readonly mayBeLedAway: boolean;
  readonly chunkBytes: number;
  readonly expected: FileStat | undefined;
};

/** A part of a database at rest, or of our own private copy of one. */
export type DatabaseRange = {
  readonly path: BytePath;
  readonly offset: number;
  readonly length: number;
  readonly chunkBytes: number;
  readonly secret: boolean;
};

export type CaptureResult = ReadLiveResult & { readonly ids: number };

export type ToWorker =
  | { readonly type: 'begin capture'; readonly setup: CaptureSetup }
  | { readonly type: 'capture'; readonly job: number; readonly files: readonly CaptureFile[] }
  | { readonly type: 'capture range'; readonly job: number; readonly range: DatabaseRange }
  | { readonly type: 'store'; readonly job: number; readonly blobs: readonly Blob[] }
  | { readonly type: 'finish'; readonly job: number }
  | { readonly type: 'begin restore'; readonly setup: RestoreSetup }
  | { readonly type: 'restore'; readonly job: number; readonly pack: RestorePack }
  | { readonly type: 'finish restore'; readonly job: number }
  | { readonly type: 'begin read'; readonly setup: ReadSetup }
  | {
      readonly type: 'read';
      readonly job: number;
      readonly part: PackPart;
      /** The buffer that the chunks are wanted in, and for each of them from which byte on. */
      readonly lot: number;
      readonly at: Uint32Array;
    }
  | {
      readonly type: 'copy';
      readonly job: number;
      readonly part: PackPart;
      /** By chunk. */
      readonly companies: readonly (BlobCompany | undefined)[];
    }
  | { readonly type: 'verify stage'; readonly job: number; readonly files: readonly StageFile[] }
  | {
      readonly type: 'read back';
      readonly job: number;
      readonly files: readonly RestoredFile[];
      readonly chunkIdKey: Uint8Array;
    }
  | {
      readonly type: 'judge';
      readonly job: number;
      /** Absolute. */
      readonly path: BytePath;
      readonly kind: FileKind;
    };

/** Chunks that the main thread has and claimed: tree and list pages, and content that it read from a snapshot. */
export type Blob = {
  readonly id: Uint8Array;
  readonly slot: number;
  readonly bytes: Uint8Array;
  /** What may share its compression context (see FORMAT.md, "Segments"); undefined: nothing. */
  readonly company: BlobCompany | undefined;
};

/** Content of a secret file is never compressed; small files share a context by group. */
export type BlobCompany = 'secret' | { readonly group: string };

export type RestoreSetup = {
  readonly pool: SharedPackPool;
  readonly chunkIdKey: Uint8Array;
  /** Stage directories; files name theirs by index. */
  readonly stages: readonly Pick<PlaceOptions, 'stage' | 'at'>[];
  readonly setIdAllowed: boolean;
};

/** Which chunks of a pack go where; ids are 32 bytes each, the other columns one number per id. */
export type RestorePack = {
  readonly name: string;
  readonly buffer: number;
  readonly objectKey: ObjectKey;
  readonly directory: Uint8Array;
  readonly wantedIds: Uint8Array;
  readonly wantedFiles: Uint32Array;
  readonly wantedChunks: Uint32Array;
  /** By file number; absent when chunks are only verified. */
  readonly files: ReadonlyMap<number, RestoreFile> | undefined;
};

export type ReadSetup = {
  readonly pool: SharedPackPool;
  /** What is read comes here; not for who has it copied. */
  readonly lots?: SharedPackPool;
  readonly chunkIdKey: Uint8Array;
};

/** Chunks of files in a part of a pack, in the order they lie in. */
export type PackPart = {
  readonly buffer: number;
  /** Where in the pack the first byte of the buffer lies. */
  readonly from: number;
  readonly objectKey: ObjectKey;
  readonly places: readonly ChunkPlace[];
  /** 32 bytes each. */
  readonly ids: Uint8Array;
};

/** A file that an interrupted pull left in the stage, with the ids its chunks should have. */
export type StageFile = {
  readonly stage: number;
  readonly path: BytePath;
  readonly size: number;
  readonly chunkBytes: number;
  readonly ids: Uint8Array;
};

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'pack'; readonly pack: BuiltPack }
  | {
      readonly type: 'captured';
      readonly job: number;
      readonly results: readonly CaptureResult[];
      readonly ids: Uint8Array;
    }
  | {
      readonly type: 'range captured';
      readonly job: number;
      readonly bytes: number;
      readonly ids: Uint8Array;
    }
  | { readonly type: 'done'; readonly job: number }
  | {
      readonly type: 'restored';
      readonly job: number;
      readonly failures: readonly RestoreFailure[];
      readonly bytes: number;
      readonly verified: Uint8Array;
    }
  /** For each chunk 1 where it is what its id says, and in its place. */
  | { readonly type: 'was read'; readonly job: number; readonly found: Uint8Array }
  /** The ids that the chunks have now, 32 bytes each; zeros for one that could not be had. */
  | { readonly type: 'copied'; readonly job: number; readonly ids: Uint8Array }
  /** For each file the chunk numbers that are already right. */
  | { readonly type: 'stage verified'; readonly job: number; readonly good: readonly Uint32Array[] }
  | { readonly type: 'was read back'; readonly job: number; readonly found: readonly ReadBack[] }
  | { readonly type: 'judged'; readonly job: number; readonly verdict: FileVerdict }
  | {
      readonly type: 'failed';
      readonly job: number;
      readonly code: string;
      readonly message: string;
      readonly hint: string | undefined;
    };

/** Positions in the wanted columns that this pack did not deliver, and why. */
export type RestoreFailure = { readonly wanted: number; readonly why: string };
