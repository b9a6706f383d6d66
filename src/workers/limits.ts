/** Bounds of the pipeline between main thread and workers. */
export const PIPELINE = {
  /** A Padmé size: every full pack has this one or the one before it, so that only the last ones are padded more. */
  packBytes: 8 * 1024 * 1024,
  /** Pack buffers beyond one per worker: those being uploaded or downloaded. */
  spareBuffers: 1,
  workersMax: 4,
  chunksPerPackMax: 4096,
  /** A frame is closed once it holds this much. */
  frameTargetBytes: 256 * 1024,
  /** Small files of one directory share a compression context up to this much. */
  groupBytesMax: 256 * 1024,
  /** And up to this many, fewer than a segment or a pack may have. */
  groupChunksMax: 2048,
  /** Larger chunks are compressed by themselves. */
  groupedChunkBytesMax: 64 * 1024,
  /** Work is handed out in lots of about this many bytes or files, whichever comes first. */
  lotBytes: 2 * 1024 * 1024,
  lotFiles: 256,
  lotsInFlightPerWorker: 3,
  /** What a worker reads of a database at a time; a multiple of the chunk size. */
  databaseRangeBytes: 4 * 1024 * 1024,
  /** Read buffer of a worker; a multiple of every chunk size. */
  readBytes: 1024 * 1024,
} as const;
