/**
 * A gateway's config: JSON5 with `$include` (relative to the including file, nested, arrays) and `${VAR}`. Reading
 * gives the merged value and every file with the place where it is mounted; files are never re-serialised.
 */
import JSON5 from 'json5';
import { FerryError, messageOf } from '../../base/errors.ts';
import { isAbsolutePath, isWindowsPath, normalizePath } from '../disk/paths.ts';
import type { ReadFile } from '../disk/read.ts';

export type KeyPath = readonly (string | number)[];

export type ConfigFile = {
  /** As the machine that wrote it names the file. */
  readonly path: string;
  readonly bytes: Buffer;
  /** Where its content stands in the whole config: [] for the main file. */
  readonly mount: KeyPath;
};

export type LoadedConfig = {
  readonly path: string;
  /** False when there is no main file at all. */
  readonly exists: boolean;
  /** Merged as the products merge it; `${VAR}` is left as written. */
  readonly value: JsonObject;
  readonly files: readonly ConfigFile[];
  /** What could not be read or understood, in words. The rest is used all the same. */
  readonly problems: readonly string[];
};

export type JsonObject = { readonly [key: string]: unknown };

const INCLUDE_DEPTH_MAX = 10;
/** What the products accept of an included file. */
const INCLUDE_BYTES_MAX = 2 * 1024 * 1024;
const INCLUDES_MAX = 1_000;
const BLOCKED_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** `read` gets absolute paths of the machine that wrote the config: a staged copy maps them. */
export function loadConfig(path: string, read: ReadFile): LoadedConfig {
  const load: Load = { read, files: [], problems: [] };
  const bytes = read(path);
  if (bytes === undefined) {
    return { path, exists: false, value: {}, files: [], problems: [] };
  }
  const value = loadFile(load, { path, bytes, mount: [] }, [path]);
  return {
    path,
    exists: true,
    value: isObject(value) ? value : {},
    files: load.files,
    problems: load.problems,
  };
}

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The value at a key path, or undefined. */
export function valueAt(config: unknown, path: KeyPath): unknown {
  let value: unknown = config;
  for (const key of path) {
    if (Array.isArray(value) && typeof key === 'number') value = value[key];
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key];
    else return undefined;
  }
  return value;
}

/** The non-empty string at a key path, trimmed, or undefined. */
export function textAt(config: unknown, ...path: KeyPath): string | undefined {
  const value = valueAt(config, path);
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** `${VAR}` filled in from the variables given; `$${VAR}` is an escape. Undefined when one is missing. */
export function fillVariables(
  text: string,
  variables: Readonly<Record<string, string>>,
): string | undefined {
  let missing = false;
  const filled = text.replaceAll(
    /\$(\$?)\{([A-Z_][A-Z0-9_]*)\}/g,
    (whole, escape: string, name: string) => {
      if (escape !== '') return whole.slice(1);
      const value = variables[name];
      if (value === undefined) missing = true;
      return value ?? '';
    },
  );
  return missing ? undefined : filled;
}

/** Names of the variables that a text needs. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(/(\$?)\$\{([A-Z_][A-Z0-9_]*)\}/g)]
    .filter((match) => match[1] === '')
    .map((match) => match[2] ?? '');
}

type Load = { readonly read: ReadFile; readonly files: ConfigFile[]; readonly problems: string[] };

function loadFile(load: Load, file: ConfigFile, chain: readonly string[]): unknown {
  load.files.push(file);
  try {
    const text = file.bytes.toString('utf8').replace(/^\uFEFF/, '');
    return resolve(load, JSON5.parse<unknown>(text), file, file.mount, chain);
  } catch (error) {
    if (error instanceof FerryError) throw error;
    load.problems.push(`${file.path}: ${messageOf(error)}`);
    return undefined;
  }
}

function resolve(
  load: Load,
  value: unknown,
  file: ConfigFile,
  at: KeyPath,
  chain: readonly string[],
): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => resolve(load, item, file, [...at, index], chain));
  }
  if (!isObject(value)) return value;
  const own = Object.entries(value).filter(([key]) => key !== '$include');
  const rest = Object.fromEntries(
    own.map(([key, item]) => [key, resolve(load, item, file, [...at, key], chain)]),
  );
  if (!Object.hasOwn(value, '$include')) return rest;
  const included = resolveInclude(load, value['$include'], file, at, chain);
  return own.length === 0 ? included : merge(included, rest);
}

function resolveInclude(
  load: Load,
  include: unknown,
  file: ConfigFile,
  at: KeyPath,
  chain: readonly string[],
): unknown {
  const wanted = Array.isArray(include) ? include : [include];
  let merged: unknown = Array.isArray(include) ? {} : undefined;
  for (const item of wanted) {
    if (typeof item !== 'string') {
      load.problems.push(`${file.path}: $include is neither a path nor a list of paths`);
      continue;
    }
    const part = includeOne(load, item, file, at, chain);
    merged = merged === undefined ? part : merge(merged, part);
  }
  return merged;
}

function includeOne(
  load: Load,
  include: string,
  file: ConfigFile,
  at: KeyPath,
  chain: readonly string[],
): unknown {
  const path = resolveBeside(file.path, include);
  const refuse = (why: string): undefined => {
    load.problems.push(`${file.path}: $include ${include}: ${why}`);
    return undefined;
  };
  if (chain.includes(path)) return refuse('includes itself');
  if (chain.length > INCLUDE_DEPTH_MAX) return refuse(`nested deeper than ${INCLUDE_DEPTH_MAX}`);
  if (load.files.length > INCLUDES_MAX) return refuse(`more than ${INCLUDES_MAX} files`);
  const bytes = load.read(path);
  if (bytes === undefined) return refuse('there is no such file');
  if (bytes.length > INCLUDE_BYTES_MAX) return refuse('larger than the products accept');
  return loadFile(load, { path, bytes, mount: at }, [...chain, path]);
}

/** A path as written in a file, made absolute the way the products do: relative to that file's folder. */
export function resolveBeside(filePath: string, written: string): string {
  if (isAbsolutePath(written)) return normalizePath(written);
  const slash = isWindowsPath(filePath)
    ? Math.max(filePath.lastIndexOf('/'), filePath.lastIndexOf('\\'))
    : filePath.lastIndexOf('/');
  return normalizePath(`${filePath.slice(0, slash)}/${written}`);
}

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value);

/** Lists concatenate, objects merge, anything else: the later wins. */
function merge(target: unknown, source: unknown): unknown {
  if (isList(target) && isList(source)) return [...target, ...source];
  if (!isObject(target) || !isObject(source)) return source;
  const result: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(source)) {
    if (BLOCKED_KEYS.has(key)) continue;
    result[key] = Object.hasOwn(result, key) ? merge(result[key], value) : value;
  }
  return result;
}
