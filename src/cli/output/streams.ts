/** This process's own stdout and stderr as sinks. */
import type { WriteStream } from 'node:tty';
import { systemCode } from '../../base/errors.ts';
import type { Sink, Sinks } from './output.ts';

/** When whoever read one of them has gone, writing to it does nothing and fails nothing. */
export function processSinks(): Sinks {
  return { stdout: sinkOf(process.stdout), stderr: sinkOf(process.stderr) };
}

/** Undefined for a pipe or a file, whatever the types say. */
export const isTerminal = (stream: { readonly isTTY?: boolean }): boolean => stream.isTTY === true;

const COLUMNS_UNKNOWN = 80;

function sinkOf(stream: WriteStream): Sink {
  let isGone = false;
  stream.on('error', (error) => {
    const code = systemCode(error);
    if (code !== 'EPIPE' && code !== 'ERR_STREAM_DESTROYED' && code !== 'EIO') throw error;
    isGone = true;
  });
  return {
    isTerminal: isTerminal(stream),
    // 0 where a terminal does not know its own width.
    columns: () => (stream.columns > 0 ? stream.columns : COLUMNS_UNKNOWN),
    write: (text) => {
      if (!isGone) stream.write(text);
    },
    writeBytes: (bytes) =>
      new Promise((resolve) => {
        // Called when it was written, and also when it could not be: then the stream says so to the listener above.
        if (isGone) resolve();
        else stream.write(bytes, () => resolve());
      }),
    isGone: () => isGone,
  };
}
