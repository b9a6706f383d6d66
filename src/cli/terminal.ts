/** Asking a person: only where stdin and stderr are a terminal. Questions are talk, so they go to stderr. */
import { addAbortSignal } from 'node:stream';
import { createInterface } from 'node:readline/promises';
import { FerryError } from '../base/errors.ts';
import { isTerminal } from './output/streams.ts';

export type Terminal = {
  readonly isThere: boolean;
  /** A line that is not shown while it is typed. */
  askHidden(question: string, signal: AbortSignal): Promise<string>;
  ask(question: string, signal: AbortSignal): Promise<string>;
  /** What is piped in, to its end. */
  readAll(bytesMax: number, signal: AbortSignal): Promise<string>;
};

export const processTerminal: Terminal = {
  get isThere() {
    return isTerminal(process.stdin) && isTerminal(process.stderr);
  },
  askHidden,
  readAll,
  ask: async (question, signal) => {
    const lines = createInterface({ input: process.stdin, output: process.stderr });
    try {
      return await lines.question(question, { signal });
    } catch (error) {
      process.stderr.write('\n');
      throw new FerryError('interrupted', 'interrupted', { cause: error });
    } finally {
      lines.close();
    }
  },
};

async function readAll(bytesMax: number, signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  const input: AsyncIterable<Buffer> = addAbortSignal(signal, process.stdin);
  for await (const piece of input) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > bytesMax) throw new FerryError('usage', 'there is too much on standard input');
  }
  return Buffer.concat(pieces).toString('utf8');
}

const ENTER = /[\r\n]/;
const CONTROL_C = '\u0003';
const CONTROL_D = '\u0004';
const CONTROL_U = '\u0015';
const BACKSPACES = new Set(['\u007f', '\b']);

/** Raw mode: the terminal itself would echo. Bytes are collected whole, so that no character is cut in two. */
function askHidden(question: string, signal: AbortSignal): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(question);
  return new Promise((resolve, reject) => {
    let typed = '';
    const end = (): void => {
      stdin.off('data', hear);
      signal.removeEventListener('abort', giveUp);
      stdin.setRawMode(false);
      stdin.pause();
      stderr.write('\n');
    };
    const giveUp = (): void => {
      end();
      reject(new FerryError('interrupted', 'interrupted'));
    };
    const hear = (text: string): void => {
      for (const char of text) {
        if (char === CONTROL_C) return giveUp();
        if (ENTER.test(char) || char === CONTROL_D) {
          end();
          return resolve(typed);
        }
        if (BACKSPACES.has(char)) typed = typed.replace(/.$/su, '');
        else if (char === CONTROL_U) typed = '';
        else typed += char;
      }
    };
    stdin.setEncoding('utf8');
    stdin.setRawMode(true);
    stdin.on('data', hear);
    signal.addEventListener('abort', giveUp, { once: true });
    stdin.resume();
  });
}
