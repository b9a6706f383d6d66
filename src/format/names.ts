/** The names of stored objects and their ids. A name never says what is inside. */
import { FerryError } from '../base/errors.ts';
import { fromHex, toHex } from '../base/bytes.ts';

declare const writerIdBrand: unique symbol;
declare const objectIdBrand: unique symbol;
/** 32 lower-case hex digits (16 random bytes). */
export type WriterId = string & { readonly [writerIdBrand]: true };
export type ObjectId = string & { readonly [objectIdBrand]: true };

export const ID_BYTES = 16;
export const HEADER_NAME = 'stateferry.json';

/** The kinds that lie in one folder per writer. */
export type WriterFolder = 'packs' | 'indexes' | 'lists' | 'snapshots' | 'drills';
/** The kinds that lie in one folder for the whole repository. */
export type SharedFolder =
  | 'keys'
  | 'writers'
  | 'revocations'
  | 'forgets'
  | 'repacks'
  | 'tombstones'
  | 'grants'
  | 'claims'
  | 'receipts';

export const writerObjectName = (folder: WriterFolder, writer: WriterId, id: ObjectId): string =>
  `${folder}/${writer}/${id}`;
export const sharedObjectName = (folder: SharedFolder, id: string): string => `${folder}/${id}`;

export function parseId<T extends WriterId | ObjectId>(text: string): T | undefined {
  return /^[0-9a-f]{32}$/.test(text) ? (text as T) : undefined;
}

export function idFromBytes<T extends WriterId | ObjectId>(bytes: Uint8Array): T {
  const id = parseId<T>(toHex(bytes));
  if (id === undefined) throw new FerryError('bug', `an id has ${bytes.length} bytes`);
  return id;
}

export const idBytes = (id: WriterId | ObjectId): Uint8Array => fromHex(id);

export type ParsedName = {
  readonly folder: WriterFolder;
  readonly writer: WriterId;
  readonly id: ObjectId;
};

const isWriterFolder = (name: string | undefined): name is WriterFolder =>
  name === 'packs' ||
  name === 'indexes' ||
  name === 'lists' ||
  name === 'snapshots' ||
  name === 'drills';

/** A name below one of those folders; undefined for anything else. */
export function parseWriterObjectName(name: string): ParsedName | undefined {
  const [folder, writerText, idText, ...rest] = name.split('/');
  const writer = parseId<WriterId>(writerText ?? '');
  const id = parseId<ObjectId>(idText ?? '');
  if (!isWriterFolder(folder) || !writer || !id || rest.length > 0) return undefined;
  return { folder, writer, id };
}
