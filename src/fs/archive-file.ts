/** Archives on disk: read as a stream, or written where nobody else can read them. */
import { createReadStream, createWriteStream, rmSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { showPath, toFsPath, type BytePath } from '../base/byte-path.ts';
import { FerryError, messageOf, systemCode } from '../base/errors.ts';

const PIECE_BYTES = 256 * 1024;

export const readArchive = (path: BytePath): AsyncIterable<Uint8Array> =>
  createReadStream(toFsPath(path), { highWaterMark: PIECE_BYTES }) as AsyncIterable<Buffer>;

/**
 * A new file with mode 0600 that `write` fills; removed again when that fails.
 * @throws usage when something is there already: an archive is never overwritten
 */
export async function writeArchive<T>(
  path: BytePath,
  write: (output: Writable) => Promise<T>,
): Promise<T> {
  const output = createWriteStream(toFsPath(path), {
    flags: 'wx',
    mode: 0o600,
    highWaterMark: PIECE_BYTES,
    flush: true,
  });
  await new Promise<void>((resolve, reject) => {
    output.once('open', () => resolve());
    output.once('error', (error) => reject(asOpenError(path, error)));
  });
  try {
    return await write(output);
  } catch (error) {
    output.destroy();
    rmSync(toFsPath(path), { force: true });
    throw error;
  }
}

function asOpenError(path: BytePath, error: unknown): FerryError {
  if (systemCode(error) === 'EEXIST') {
    return new FerryError('usage', `${showPath(path)} is there already`, {
      hint: 'Choose another name, or remove it first.',
    });
  }
  const message = `cannot write ${showPath(path)}: ${messageOf(error)}`;
  return new FerryError('file-write', message, { cause: error });
}
