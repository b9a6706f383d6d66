/** This process's own stdout and stderr as sinks. */
import type { WriteStream } from 'node:tty';
import { FerryError, systemCode } from '../../base/errors.ts';
import { isOutOfSpace } from '../../fs/out-of-space.ts';
import { reasonOf } from '../../settings/file-failure.ts';
import { READER_GONE, type Sink, type Sinks } from './output.ts';

/** When one of them takes no more, writing to it does nothing and fails nothing; whoever needs to know asks. */
export function processSinks(): Sinks {
  return { stdout: sinkOf(process.stdout, 'stdout'), stderr: sinkOf(process.stderr, 'stderr') };
}

/** Undefined for a pipe or a file, whatever the types say. */
export const isTerminal = (stream: { readonly isTTY?: boolean }): boolean => stream.isTTY === true;

const COLUMNS_UNKNOWN = 80;

function sinkOf(stream: WriteStream, name: string): Sink {
  let over: Error | undefined;
  const note = (error: Error): void => {
    over ??= isReaderGone(stream, error) ? READER_GONE : unwritable(name, error);
  };
  stream.on('error', note);
  return {
    isTerminal: isTerminal(stream),
    // 0 where a terminal does not know its own width.
    columns: () => (stream.columns > 0 ? stream.columns : COLUMNS_UNKNOWN),
    write: (text) => {
      if (!over) stream.write(text);
    },
    writeBytes: (bytes) =>
      new Promise((resolve) => {
        if (over) return resolve();
        stream.write(bytes, (error) => {
          if (error) note(error);
          resolve();
        });
      }),
    over: () => over,
  };
}

function isReaderGone(stream: WriteStream, error: Error): boolean {
  const code = systemCode(error);
  if (code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED') return true;
  // Of a terminal that was closed; of a file, its disk is broken.
  return code === 'EIO' && isTerminal(stream);
}

function unwritable(name: string, cause: Error): FerryError {
  const code = isOutOfSpace(cause) ? 'no-space' : 'file-write';
  return new FerryError(code, `cannot write to ${name}: ${reasonOf(cause)}`, {
    hint: `Look at the disk that ${name} goes to, and run the same again.`,
    cause,
  });
}
