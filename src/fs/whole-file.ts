/** Whether a file is what its kind promises: a database that SQLite finds nothing wrong with, records that parse. */
import { closeSync, openSync, readSync, rmSync } from 'node:fs';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { StringDecoder } from 'node:string_decoder';
import { asBytePath, toFsPath, type BytePath } from '../base/byte-path.ts';
import { FerryError, messageOf } from '../base/errors.ts';
import { errcodeOf, isSqliteError } from './sqlite-error.ts';
import { isSqliteHead, readHead, statSet } from './sqlite-file.ts';

export type FileKind = 'database' | 'records';

export type FileVerdict = {
  /** undefined: nothing is wrong. */
  readonly wrong: string | undefined;
  /** It could not be looked at, which says nothing about it. */
  readonly unknown?: string;
  /** Records of transcripts in it, and how many of them cannot be parsed. */
  readonly records: number;
  readonly torn: number;
};

/** By its first bytes. */
export function isDatabase(path: BytePath): boolean {
  const head = readHead(path);
  return head !== undefined && isSqliteHead(head);
}

/** Of records that lie compressed in a database. */
export type Decompress = (stored: Uint8Array, rawBytes: number) => Buffer;

/** @param buffer to read into */
export function judgeFile(
  path: BytePath,
  kind: FileKind,
  decode: Decompress,
  buffer: Buffer,
): FileVerdict {
  return kind === 'database' ? judgeDatabase(path, decode) : judgeRecords(path, buffer);
}

const CORRUPT = 11;
const NOT_A_DATABASE = 26;

/** Nothing is left beside it, and nothing that its schema calls gets beyond it: a stranger may have made it. */
function judgeDatabase(path: BytePath, decode: Decompress): FileVerdict {
  const before = statSet(path);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(urlOf(path, before?.wal === undefined), { readOnly: true });
    database.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON');
    const said = database.prepare('PRAGMA integrity_check(10)').all();
    const texts = said.map((row) => String(row['integrity_check']));
    if (texts[0] !== 'ok') return { ...NO_RECORDS, wrong: texts.join('; ') };
    return { wrong: undefined, ...transcriptRows(database, decode) };
  } catch (error) {
    if (!isSqliteError(error)) throw error;
    const code = (errcodeOf(error) ?? 0) & 0xff;
    const message = messageOf(error);
    const isDamage = code === CORRUPT || code === NOT_A_DATABASE;
    const said = isDamage ? { wrong: message } : { wrong: undefined, unknown: message };
    return { ...NO_RECORDS, ...said };
  } finally {
    database?.close();
    if (before && !before.shm) rmSync(toFsPath(asBytePath(`${path}-shm`)), { force: true });
  }
}

const NO_RECORDS = { records: 0, torn: 0 } as const;

/** Without its -wal a plain open would leave new files beside it. */
function urlOf(path: BytePath, isAlone: boolean): URL {
  const escaped = path.replaceAll(
    /[^A-Za-z0-9/._-]/g,
    (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return new URL(`file://${escaped}${isAlone ? '?immutable=1' : ''}`);
}

/** The newest products keep transcripts in a table, a record a row, large ones compressed. */
function transcriptRows(
  database: DatabaseSync,
  decode: Decompress,
): Pick<FileVerdict, 'records' | 'torn'> {
  const columns = database
    .prepare("SELECT name FROM pragma_table_info('transcript_events')")
    .all()
    .map((row) => String(row['name']));
  if (!columns.includes('event_json')) return NO_RECORDS;
  const isPacked = ['event_zstd', 'event_utf8_bytes'].every((name) => columns.includes(name));
  const packed = isPacked ? 'event_zstd AS packed, event_utf8_bytes AS size' : 'NULL, NULL';
  const rows = database.prepare(`SELECT event_json AS text, ${packed} FROM transcript_events`);
  let [records, torn] = [0, 0];
  for (const row of rows.iterate()) {
    records += 1;
    if (!isRecord(textOf(row, decode))) torn += 1;
  }
  return { records, torn };
}

/** As much as the product itself puts into one. */
const PACKED_BYTES_MAX = 4 * 1024 * 1024;

function textOf(row: Record<string, SQLOutputValue>, decode: Decompress): string {
  const { text, packed, size } = row;
  if (typeof text === 'string') return text;
  if (!(packed instanceof Uint8Array) || typeof size !== 'number') return '';
  if (size < 1 || size > PACKED_BYTES_MAX) return '';
  try {
    return decode(packed, size).toString('utf8');
  } catch (error) {
    if (!(error instanceof FerryError)) throw error;
    return '';
  }
}

/** A longer line is counted as torn: no product writes one, and it would not fit into memory twice. */
const LINE_CHARS_MAX = 64 * 1024 * 1024;

/** As text it is young then: V8 keeps larger ones apart and lets forty MiB of them lie before it collects any. */
const PIECE_BYTES = 32 * 1024;

function judgeRecords(path: BytePath, buffer: Buffer): FileVerdict {
  const fd = openSync(toFsPath(path), 'r');
  try {
    const decoder = new StringDecoder('utf8');
    const tally = { records: 0, torn: 0, firstTorn: 0 };
    let [line, number] = ['', 0];
    const endLine = (): void => {
      number += 1;
      if (line.trim() !== '') {
        tally.records += 1;
        if (!isRecord(line)) {
          tally.torn += 1;
          tally.firstTorn ||= number;
        }
      }
      line = '';
    };
    const piece = buffer.subarray(0, PIECE_BYTES);
    for (let got = 1; got > 0;) {
      got = readSync(fd, piece, 0, piece.length, null);
      const [first = '', ...more] = decoder.write(piece.subarray(0, got)).split('\n');
      line = joined(line, first);
      for (const next of more) {
        endLine();
        line = next;
      }
    }
    line += decoder.end();
    endLine();
    const { records, torn, firstTorn } = tally;
    const wrong =
      torn === 0 ? undefined : `${torn} of ${records} records, the first in line ${firstTorn}`;
    return { wrong, records, torn };
  } finally {
    closeSync(fd);
  }
}

/** One that has become too long stays so short that it cannot be parsed. */
const joined = (line: string, more: string): string =>
  line.length + more.length > LINE_CHARS_MAX ? '{' : line + more;

function isRecord(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}
