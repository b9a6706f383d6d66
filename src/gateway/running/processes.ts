/**
 * Processes as Linux shows them: which gateways run, who holds a port, and with which config. Other systems answer
 * nothing, and what cannot be seen is never guessed.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { systemCode } from '../../base/errors.ts';
import { realPath } from '../disk/read.ts';
import type { Brand } from '../install/brands.ts';

export type GatewayPlace = {
  readonly brand: Brand;
  readonly stateDir: string;
  readonly configPath: string;
};

/** Is it there, and more than the rest of a process that nobody waited for? */
export function processLives(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
  const hasCommandLines = commandLineOf(process.pid) !== undefined;
  return !hasCommandLines || commandLineOf(pid) !== undefined;
}

/** The command line's words; undefined when there is no such process, or it cannot be seen. */
export function commandLineOf(pid: number): string[] | undefined {
  const text = peek(`/proc/${pid}/cmdline`);
  return text === undefined || text === '' ? undefined : text.replace(/\0+$/, '').split('\0');
}

/** In clock ticks since the system started, which tells two processes of one id apart. */
export function startTimeOf(pid: number): number | undefined {
  const stat = peek(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The command name may hold spaces and brackets: fields count from behind its closing one; 22 is the start time.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
}

/** Whose rights it has; undefined when it cannot be seen. */
export function userOf(pid: number): number | undefined {
  const text = /^Uid:\s+\d+\s+(\d+)/m.exec(peek(`/proc/${pid}/status`) ?? '')?.[1];
  return text === undefined ? undefined : Number(text);
}

/** What a process was started with; undefined when that is not ours to see. */
export function environmentOf(pid: number): Record<string, string> | undefined {
  const text = peek(`/proc/${pid}/environ`);
  if (text === undefined || text === '') return undefined;
  const pairs = text.split('\0').filter((pair) => pair.includes('='));
  return Object.fromEntries(
    pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]),
  );
}

/** The service that a process is part of, by its control group; undefined for what a person started. */
export function serviceUnitOf(pid: number): string | undefined {
  const group = /^0::(.*)$/m.exec(peek(`/proc/${pid}/cgroup`) ?? '')?.[1] ?? '';
  const unit = group.split('/').findLast((part) => /\.(service|scope)$/.test(part));
  return unit?.endsWith('.service') === true && !/^user@\d+\.service$/.test(unit)
    ? unit
    : undefined;
}

export type Listener = {
  readonly uid: number;
  /** undefined: a process of somebody else. */
  readonly pid: number | undefined;
};

/** Who listens on a port of this machine; undefined where the system does not tell. */
export function listenerOf(port: number): Listener | undefined {
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of (peek(table) ?? '').split('\n').slice(1)) {
      const [, local = '', , state, , , , uid, , inode = ''] = line.trim().split(/\s+/);
      if (state !== LISTENING || Number.parseInt(local.split(':')[1] ?? '', 16) !== port) continue;
      return { uid: Number(uid), pid: holderOf(inode) };
    }
  }
  return undefined;
}

const LISTENING = '0A';

function holderOf(inode: string): number | undefined {
  const wanted = `socket:[${inode}]`;
  return pids().find((pid) =>
    list(`/proc/${pid}/fd`).some((fd) => link(`/proc/${pid}/fd/${fd}`) === wanted),
  );
}

/** Gateways that were started for this install, as far as their command lines and variables tell. */
export function gatewaysOf(place: GatewayPlace): number[] {
  return pids().filter((pid) => {
    const words = commandLineOf(pid);
    return words !== undefined && isGatewayCommand(words, place.brand) && isMeant(pid, place);
  });
}

/** Its own name for itself, or the command that starts it; not `gateway status` and the like. */
export function isGatewayCommand(words: readonly string[], brand: Brand): boolean {
  const names = [brand.command, brand.npmPackage, brand.name];
  if (/^[\w-]+-gateway$/.test(words[0] ?? '')) return true;
  const program = words.findIndex((word) =>
    names.some((name) => word === name || word.endsWith(`/${name}`) || word.includes(`/${name}/`)),
  );
  const verbs = program < 0 ? [] : withoutOptions(words.slice(program + 1));
  return verbs[0] === 'gateway' && (verbs[1] === undefined || /^(run$|-)/.test(verbs[1]));
}

/** Up to the first word that is none: `--dev`, `--profile work`. */
function withoutOptions(words: readonly string[]): readonly string[] {
  const [first, , ...rest] = words;
  if (first === undefined || !first.startsWith('-')) return words;
  return withoutOptions(first === '--profile' ? rest : words.slice(1));
}

/** By its variables: those that name a config or state dir decide, else its home and profile. */
export function isMeant(pid: number, { brand, stateDir, configPath }: GatewayPlace): boolean {
  const environment = environmentOf(pid);
  if (environment === undefined) return false;
  const places = new Set([stateDir, configPath].map(placeOf));
  const named = Object.entries(environment).filter(([name]) => PLACE_NAME.test(name));
  // Also under the prefix of a brand that this one is a cover of.
  if (named.some(([, path]) => places.has(placeOf(path)))) return true;
  const value = (suffix: string): string | undefined => {
    const prefixes = [brand.envPrefix, ...brand.legacyEnvPrefixes];
    return prefixes.map((prefix) => environment[`${prefix}_${suffix}`]).find((one) => one);
  };
  const config = value('CONFIG_PATH');
  if (config !== undefined) return placeOf(config) === placeOf(configPath);
  const profile = profileIn(commandLineOf(pid) ?? []) ?? value('PROFILE') ?? 'default';
  const home = value('HOME') ?? environment['HOME'] ?? '';
  const ofProfile = `${home}/${brand.stateDirName}${profile === 'default' ? '' : `-${profile}`}`;
  return placeOf(value('STATE_DIR') ?? ofProfile) === placeOf(stateDir);
}

/** As typed; a process that has given itself a name does not tell any more. */
function profileIn(words: readonly string[]): string | undefined {
  if (words.includes('--dev')) return 'dev';
  const at = words.indexOf('--profile');
  return at < 0 ? undefined : words[at + 1];
}

/** Where a path leads; itself where that cannot be seen. */
const placeOf = (path: string): string => orUndefined(() => realPath(path)) ?? path;

const PLACE_NAME = /_(STATE_DIR|CONFIG_PATH)$/;

const pids = (): number[] =>
  list('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);

const peek = (path: string): string | undefined =>
  orUndefined(() => readFileSync(path).toString('utf8'));
const link = (path: string): string | undefined => orUndefined(() => readlinkSync(path));
const list = (path: string): string[] => orUndefined(() => readdirSync(path)) ?? [];

/** Processes end while they are looked at, and those of others are closed. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
