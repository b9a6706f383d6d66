/** Where an archive goes, and what is said about it: nothing in it is sealed any more. */
import { Writable } from 'node:stream';
import { callbackify } from 'node:util';
import { showPath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { placeOf } from '../../browse/address.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { createPlainFile } from '../../settings/plain-file.ts';
import type { Session } from '../session.ts';

export type ArchiveTarget = {
  readonly output: Writable;
  /** Null: stdout. */
  readonly file: string | null;
  finish(): void;
};

/** @param typed a file, `-` or nothing for stdout */
export function archiveTarget(session: Session, typed: string | undefined): ArchiveTarget {
  if (typed === undefined || typed === '-') {
    if (typed === undefined && session.sinks.stdout.isTerminal) {
      throw new FerryError('usage', 'an archive is nothing for a terminal', {
        hint: 'Name a new file for it, or send it on: stateferry export latest - | tar -tf -',
      });
    }
    return { output: stdoutOf(session), file: null, finish: () => undefined };
  }
  const file = createPlainFile(typed, session.environment);
  session.atEnd(() => file.discard());
  session.emit({
    type: 'notice',
    code: 'plain-text',
    message: `${typed} will hold everything in plain text, secrets included; only you may read it (0600)`,
    hint: 'Delete it when it has served its purpose.',
  });
  return { output: file.output, file: typed, finish: () => file.keep() };
}

/** From here on stdout is for the bytes that were asked for: everything that is said goes to stderr. */
export const startPayload = ({ output }: Session): Promise<void> =>
  output.payload(new Uint8Array());

/** The path as a root and what is below it, whichever way it was typed. */
export function pathInRoots(
  { body }: SnapshotReader,
  path: string | undefined,
): string | undefined {
  if (path === undefined) return undefined;
  const { root, below } = placeOf(body, path);
  return below === '' ? root.name : `${root.name}/${showPath(below)}`;
}

function stdoutOf({ output }: Session): Writable {
  const write = callbackify((bytes: Uint8Array) => output.payload(bytes));
  return new Writable({ write: (bytes: Uint8Array, _encoding, done) => write(bytes, done) });
}
