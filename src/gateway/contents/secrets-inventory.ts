/**
 * Which secrets an install holds: kinds and counts, never a value and never a name that a person chose. For whoever has
 * to know what to rotate when a snapshot, a disk or a bucket's keys came into other hands.
 */
import { bytePathFromText, toFsPath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { isObject, type JsonObject } from '../config/config-text.ts';
import { parseDotenv } from '../config/variables.ts';
import { askDatabase, tablesOf } from '../disk/database.ts';
import { namesIn, readFileIfAny, statIfAny } from '../disk/read.ts';
import { countFiles } from './count-install.ts';

export const SECRET_KINDS = [
  'provider keys',
  'provider logins',
  'keys in .env',
  'gateway tokens',
  'channel tokens',
  'WhatsApp logins',
  'other channel logins',
  'device identities',
  'paired devices',
  'stored secrets',
  'TLS keys',
] as const;
export type SecretKind = (typeof SECRET_KINDS)[number];

/** Only of what is there. */
export type SecretCount = { readonly kind: SecretKind; readonly count: number };

export type SecretsInput = {
  readonly stateDir: string;
  readonly agentDirs: readonly string[];
  readonly config: JsonObject;
};

export function secretsInventory(input: SecretsInput): SecretCount[] {
  const counts = new Map<SecretKind, number>();
  const add: Add = (kind, count) => {
    if (count > 0) counts.set(kind, (counts.get(kind) ?? 0) + count);
  };
  addConfig(input.config, [], add);
  addFiles(input.stateDir, add);
  for (const agentDir of new Set(input.agentDirs)) addAgent(agentDir, add);
  addDatabase(`${input.stateDir}/state/openclaw.sqlite`, TABLES, add);
  return SECRET_KINDS.flatMap((kind) => {
    const count = counts.get(kind);
    return count === undefined ? [] : [{ kind, count }];
  });
}

type Add = (kind: SecretKind, count: number) => void;

const SECRET_KEY = /(api_?key|token|password|secret)$/i;

/** Written out; what is only named (`${VAR}`) lies elsewhere and is counted there. */
function addConfig(value: unknown, path: readonly string[], add: Add): void {
  if (Array.isArray(value)) {
    for (const item of value) addConfig(item, path, add);
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) addConfig(item, [...path, key], add);
  } else if (typeof value === 'string' && SECRET_KEY.test(path.at(-1) ?? '')) {
    if (value !== '' && !/^\$\{[^}]*\}$/.test(value)) add(kindAt(path), 1);
  }
}

function kindAt([first]: readonly string[]): SecretKind {
  if (first === 'gateway') return 'gateway tokens';
  if (first === 'channels') return 'channel tokens';
  return first === 'models' ? 'provider keys' : 'stored secrets';
}

function addFiles(stateDir: string, add: Add): void {
  const at = (path: string): string => `${stateDir}/${path}`;
  const dotenv = parseDotenv(textIn(at('.env')) ?? '');
  add('keys in .env', Object.values(dotenv).filter((value) => value !== '').length);
  const whatsapp = at('credentials/whatsapp');
  const accounts = folders(whatsapp).filter((name) => isFile(`${whatsapp}/${name}/creds.json`));
  add('WhatsApp logins', accounts.length);
  const all = files(at('credentials')) - files(whatsapp);
  const oauth = isFile(at('credentials/oauth.json')) ? 1 : 0;
  add('provider logins', oauth);
  add('other channel logins', all - oauth - notSecret(at('credentials')));
  add('device identities', isFile(at('identity/device.json')) ? 1 : 0);
  add('paired devices', entriesIn(at('devices/paired.json')) + entriesIn(at('nodes/paired.json')));
  add('stored secrets', entriesIn(at('secrets.json')));
  add('TLS keys', folders(at('gateway/tls')).filter((name) => name.endsWith('.pem')).length);
}

/** Lists of who may write lie beside the logins. */
const notSecret = (credentials: string): number =>
  folders(credentials).filter((name) => /-(allowFrom|pairing)\.json$/.test(name)).length;

function addAgent(agentDir: string, add: Add): void {
  addProfiles(textIn(`${agentDir}/auth-profiles.json`), add);
  addDatabase(`${agentDir}/openclaw-agent.sqlite`, {}, add);
}

function addProfiles(text: string | undefined, add: Add): void {
  const store = parsed(text);
  const list = isObject(store) && isObject(store['profiles']) ? store['profiles'] : {};
  for (const profile of Object.values(list)) {
    if (isObject(profile))
      add(profile['type'] === 'api_key' ? 'provider keys' : 'provider logins', 1);
  }
}

const TABLES: Readonly<Record<string, SecretKind>> = {
  device_identities: 'device identities',
  device_pairing_paired: 'paired devices',
  mcp_oauth_stores: 'provider logins',
  secret_store_entries: 'stored secrets',
};

/** The newest generation keeps them in databases. */
function addDatabase(path: string, kinds: Readonly<Record<string, SecretKind>>, add: Add): void {
  orNothing(() => addFromDatabase(path, kinds, add), undefined);
}

function addFromDatabase(
  path: string,
  kinds: Readonly<Record<string, SecretKind>>,
  add: Add,
): void {
  if ((statIfAny(path)?.size ?? 0) === 0) return;
  askDatabase(bytePathFromText(path), (database) => {
    const tables = tablesOf(database);
    for (const [table, kind] of Object.entries(kinds)) {
      if (!tables.has(table)) continue;
      add(kind, Number(database.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.['n'] ?? 0));
    }
    if (!tables.has('auth_profile_store')) return;
    for (const row of database.prepare('SELECT store_json FROM auth_profile_store').iterate()) {
      addProfiles(String(row['store_json']), add);
    }
  });
}

function entriesIn(path: string): number {
  const value = parsed(textIn(path));
  if (Array.isArray(value)) return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    // Damaged: whatever it holds, it is nothing that can be counted.
    return undefined;
  }
}

const isFile = (path: string): boolean => statIfAny(path)?.isFile() === true;
const textIn = (path: string): string | undefined =>
  orNothing(() => readFileIfAny(path)?.toString('utf8'), undefined);
const folders = (path: string): string[] => orNothing(() => namesIn(path), []);
const files = (path: string): number =>
  statIfAny(toFsPath(bytePathFromText(path))) ? countFiles(bytePathFromText(path)) : 0;

/** An inventory is told as far as it can be seen. */
function orNothing<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof FerryError && error.code === 'file-unreadable') return otherwise;
    throw error;
  }
}
