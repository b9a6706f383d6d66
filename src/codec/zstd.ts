/**
 * The door to zstd (RFC 8878), through node:zlib. node:zlib makes a new context for every call, which costs more
 * than compressing 16 KiB (measured: 2.5 times as fast with one context a thread). So the context of one stream
 * is kept and driven directly where this Node has it in the known shape and a trial run comes out right; else
 * the public functions do the work, with the same bytes as far as a reader can tell.
 */
import {
  constants,
  createZstdCompress,
  createZstdDecompress,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { FerryError, messageOf } from '../base/errors.ts';

/** Level 2: on databases as small as level 3 and as quick as level 1; on transcripts in between (measured). */
const PARAMS = {
  [constants.ZSTD_c_compressionLevel]: 2,
  [constants.ZSTD_c_checksumFlag]: 0,
  [constants.ZSTD_c_contentSizeFlag]: 1,
};

/** The largest size zstd can make of `size` bytes (ZSTD_COMPRESSBOUND), so that one output buffer is enough. */
const compressBound = (size: number): number => size + (size >>> 8) + 512;

/** One zstd frame of `bytes`: a view that the next call overwrites. */
export function compress(bytes: Uint8Array): Uint8Array {
  compressor ??= triedCompressor();
  if (compressor) {
    const out = scratchOf(compressBound(bytes.length));
    const length = compressor.whole(constants.ZSTD_e_end, bytes, out);
    if (length >= 0) return out.subarray(0, length);
    compressor = false;
  }
  return zstdCompressSync(bytes, {
    params: PARAMS,
    pledgedSrcSize: bytes.length,
    chunkSize: compressBound(bytes.length),
  });
}

/** Exactly `rawBytes` bytes, or `object-damaged`; never allocates more than that. */
export function decompress(stored: Uint8Array, rawBytes: number): Buffer {
  const raw = Buffer.alloc(rawBytes);
  decompressInto(stored, raw);
  return raw;
}

/** Fills `out` exactly. @throws object-damaged */
export function decompressInto(stored: Uint8Array, out: Uint8Array): void {
  const rawBytes = out.length;
  decompressor ??= residentContext(createZstdDecompress());
  if (decompressor && rawBytes > 0) {
    if (decompressor.whole(constants.ZSTD_e_end, stored, out) === rawBytes) return;
    // Damaged input leaves the context in an unknown state; the public function says what is wrong.
    decompressor = undefined;
  }
  let raw: Buffer;
  try {
    const chunkSize = Math.max(64, rawBytes);
    raw = zstdDecompressSync(stored, { maxOutputLength: Math.max(1, rawBytes), chunkSize });
  } catch (error) {
    const why = `a compressed segment cannot be read: ${messageOf(error)}`;
    throw new FerryError('object-damaged', why, { cause: error });
  }
  if (raw.length === rawBytes) {
    out.set(raw);
    return;
  }
  throw new FerryError('object-damaged', 'a compressed segment has another length than recorded');
}

/** Believed only after what it makes was read back by the public function. */
function triedCompressor(): Context | false {
  const context = residentContext(createZstdCompress({ params: PARAMS }));
  if (!context) return false;
  const trial = Buffer.from('trial '.repeat(200));
  for (let run = 0; run < 2; run++) {
    const out = Buffer.alloc(compressBound(trial.length));
    const length = context.whole(constants.ZSTD_e_end, trial, out);
    if (length < 0 || !zstdDecompressSync(out.subarray(0, length)).equals(trial)) return false;
  }
  return context;
}

/** undefined: not tried yet; false: this Node has none. */
let compressor: Context | false | undefined;
let decompressor: Context | false | undefined;
let scratch = Buffer.allocUnsafe(0);

function scratchOf(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafe(bytes);
  return scratch;
}

type Context = {
  /** Input to output in one step; the bytes made, or -1 when that did not work out. */
  whole(flush: number, input: Uint8Array, output: Uint8Array): number;
};

type Handle = {
  writeSync(
    flush: number,
    input: Uint8Array,
    inputOffset: number,
    inputLength: number,
    output: Uint8Array,
    outputOffset: number,
    outputLength: number,
  ): void;
};

/** The native context inside a stream: `_handle.writeSync` leaves [output left, input left] in `_writeState`. */
function residentContext(stream: {
  on(event: 'error', hear: () => void): unknown;
}): Context | false {
  if (!('_handle' in stream) || !('_writeState' in stream)) return false;
  const { _handle: handle, _writeState: left } = stream;
  if (!isHandle(handle) || !(left instanceof Uint32Array) || left.length < 2) return false;
  let failed = false;
  stream.on('error', () => {
    failed = true;
  });
  Object.assign(handle, {
    onerror: () => {
      failed = true;
    },
  });
  const context: Context = {
    whole(flush, input, output) {
      handle.writeSync(flush, input, 0, input.length, output, 0, output.length);
      const [outputLeft = 0, inputLeft = 1] = left;
      if (failed || inputLeft !== 0) return -1;
      return output.length - outputLeft;
    },
  };
  return context;
}

function isHandle(value: unknown): value is Handle {
  return (
    typeof value === 'object' &&
    value !== null &&
    'writeSync' in value &&
    typeof value.writeSync === 'function'
  );
}
