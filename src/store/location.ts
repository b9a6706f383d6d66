import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { FerryError } from '../base/errors.ts';
import { isSegment } from './names.ts';

export type Addressing = 'path' | 'virtual';

export type FolderLocation = { readonly kind: 'folder'; readonly path: string };
export type S3Location = {
  readonly kind: 's3';
  readonly bucket: string;
  /** Without slashes at its ends; '' for the bucket's top. */
  readonly prefix: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly addressing?: Addressing;
  readonly profile?: string;
};
/** Where a repository is, parsed. Never holds a credential. */
export type Location = FolderLocation | S3Location;

/** The same four as in a bucket location's query, for whoever gives them as options. */
export type S3Overrides = {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly addressing?: string | undefined;
  readonly profile?: string | undefined;
};

const S3_OPTIONS = ['endpoint', 'region', 'addressing', 'profile'] as const;
const PREFIX_BYTES_MAX = 120; // with the longest name of ours still within S3's 1024
const EXAMPLE = "'s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-1'";
const CREDENTIALS_HINT =
  'Credentials come from the AWS default chain: environment, shared config (a profile), SSO or an instance role.';

/** Reads a LOCATION as a person typed it; relative folders count from `workingFolder`. */
export function parseLocation(text: string, workingFolder: string): Location {
  if (text.trim() === '') throw usage('the location is empty', `Name a folder or ${EXAMPLE}.`);
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) return parseFolder(text, workingFolder);
  if (scheme === 'file') return { kind: 'folder', path: parseFileUrl(text) };
  if (scheme === 's3' && /^s3:\/\//i.test(text)) return parseS3(text.slice('s3://'.length));
  throw usage(
    `a location that begins with "${scheme}:" is not understood`,
    `Name a folder (one with a colon in its name as ./name) or a bucket: ${EXAMPLE}.`,
  );
}

type Printed = FolderLocation | (Pick<S3Location, 'kind' | 'bucket' | 'prefix'> & S3Overrides);

/** The location as one line that `parseLocation` reads back. */
export function printLocation(location: Printed): string {
  if (location.kind === 'folder') return location.path;
  const query = S3_OPTIONS.flatMap((option) => {
    const value = location[option];
    return value === undefined ? [] : [`${option}=${escapeValue(value)}`];
  });
  const { bucket, prefix } = location;
  const place = `s3://${bucket}${prefix === '' ? '' : `/${prefix}`}`;
  return place + (query.length === 0 ? '' : `?${query.join('&')}`);
}

/** Lays options of the command line over a location; they win over its query. */
export function overrideLocation(location: Location, overrides: S3Overrides): Location {
  const given = S3_OPTIONS.filter((option) => overrides[option] !== undefined);
  if (given.length === 0) return location;
  if (location.kind === 'folder') {
    throw usage(
      `--${given[0] === 'profile' ? 'aws-profile' : given[0]} is for buckets, and the location is a folder`,
      'Leave the option out, or name an s3:// location.',
    );
  }
  const query = new Map(given.map((option) => [option as string, overrides[option] ?? '']));
  return { ...location, ...readOptions(query) };
}

function parseFolder(text: string, workingFolder: string): FolderLocation {
  if (text.startsWith('~')) {
    throw usage('a location cannot begin with "~" here', 'Write the folder out in full.');
  }
  refuseControlCharacters(text);
  return { kind: 'folder', path: resolve(workingFolder, text) };
}

function parseFileUrl(text: string): string {
  try {
    const url = new URL(text);
    if (url.host === '' || url.host === 'localhost') {
      url.host = '';
      if (url.search === '' && url.hash === '') return resolve(fileURLToPath(url));
    }
  } catch (error) {
    throw usage('the file: location cannot be read', 'Write it as file:///absolute/folder.', error);
  }
  throw usage('the file: location cannot be read', 'Write it as file:///absolute/folder.');
}

function parseS3(rest: string): S3Location {
  refuseControlCharacters(rest);
  if (rest.includes('#')) throw usage('a location has no "#" part', `It looks like ${EXAMPLE}.`);
  const [place = '', query, ...more] = rest.split('?');
  if (place.includes('@') || place.includes(':')) {
    throw usage(
      'a location never holds credentials or a host',
      `${CREDENTIALS_HINT} The host goes into ?endpoint=.`,
    );
  }
  if (more.length > 0)
    throw usage('the location has more than one "?"', `It looks like ${EXAMPLE}.`);
  const slash = place.indexOf('/');
  const bucket = slash < 0 ? place : place.slice(0, slash);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/.test(bucket)) {
    throw usage('the location names no possible bucket', `It looks like ${EXAMPLE}.`);
  }
  const prefix = slash < 0 ? '' : parsePrefix(place.slice(slash + 1));
  return { kind: 's3', bucket, prefix, ...readOptions(queryOf(query ?? '')) };
}

function parsePrefix(text: string): string {
  const prefix = text.endsWith('/') ? text.slice(0, -1) : text;
  const ok = prefix === '' || prefix.split('/').every(isSegment);
  if (ok && prefix.length <= PREFIX_BYTES_MAX) return prefix;
  throw usage(
    'the prefix in the location cannot be used',
    `Use letters, digits, ".", "_" and "-" between single slashes, at most ${PREFIX_BYTES_MAX} in all.`,
  );
}

function queryOf(text: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const [option, value] of new URLSearchParams(text)) {
    if (query.has(option))
      throw usage(`the location says ${shortName(option)} twice`, 'Say it once.');
    query.set(option, value);
  }
  return query;
}

function readOptions(
  query: ReadonlyMap<string, string>,
): Omit<S3Location, 'kind' | 'bucket' | 'prefix'> {
  const known: readonly string[] = S3_OPTIONS;
  for (const [option, value] of query) {
    if (/key|secret|token|password|credential|signature/i.test(option)) {
      throw usage('a location never holds credentials', CREDENTIALS_HINT);
    }
    if (!known.includes(option)) {
      throw usage(
        `a location has no option "${shortName(option)}"`,
        `There are ${S3_OPTIONS.join(', ')}.`,
      );
    }
    if (value === '')
      throw usage(`the location's ${option} is empty`, 'Leave it out or give it a value.');
  }
  const endpoint = query.get('endpoint');
  const region = query.get('region');
  const addressing = query.get('addressing');
  const profile = query.get('profile');
  return {
    ...(endpoint !== undefined && { endpoint: parseEndpoint(endpoint) }),
    ...(region !== undefined && { region: parseWord('region', region) }),
    ...(addressing !== undefined && { addressing: parseAddressing(addressing) }),
    ...(profile !== undefined && { profile }),
  };
}

function parseEndpoint(text: string): string {
  if (!URL.canParse(text)) throw badEndpoint();
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    throw usage('an endpoint never holds credentials', CREDENTIALS_HINT);
  }
  const web = url.protocol === 'https:' || url.protocol === 'http:';
  if (!web || url.search !== '' || url.hash !== '') throw badEndpoint();
  return text.replace(/\/+$/, '');
}

function badEndpoint(): FerryError {
  return usage('the endpoint is no address of a server', 'It looks like https://s3.example.com.');
}

function parseAddressing(text: string): Addressing {
  if (text === 'path' || text === 'virtual') return text;
  throw usage(
    'the addressing is neither path nor virtual',
    'Leave it out unless the server needs it.',
  );
}

function parseWord(option: string, text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw usage(`the ${option} cannot be right`, 'It looks like eu-central-1.');
}

/** An option's name is echoed only as far as it can be no secret. */
function shortName(option: string): string {
  return /^[a-z-]{1,16}$/i.test(option) ? option : '…';
}

function escapeValue(value: string): string {
  return encodeURIComponent(value).replaceAll('%3A', ':').replaceAll('%2F', '/');
}

function refuseControlCharacters(text: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) throw usage('the location has control characters in it');
}

function usage(message: string, hint?: string, cause?: unknown): FerryError {
  return new FerryError('usage', message, { ...(hint !== undefined && { hint }), cause });
}
