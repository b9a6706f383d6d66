/**
 * What a snapshot leaves out on purpose, and why; and which files hold secrets. Pure: a path below its root and a type
 * in, an answer out. Left out is only what cannot be copied (sockets), what would be wrong elsewhere (locks, pids,
 * service scripts) and what rebuilds itself at no cost. Never: transcripts, logs, `.bak`, memory indexes.
 */
import { asBytePath } from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import type { RootKind } from '../install/root.ts';

export type EntryType =
  | 'file'
  | 'dir'
  | 'symlink'
  | 'socket'
  | 'fifo'
  | 'block-device'
  | 'character-device';

export type OmitRules = {
  /** Why an entry is left out (its whole subtree, for a directory), or undefined. */
  omissionFor(path: BytePath, type: EntryType): string | undefined;
  /**
   * Does this file hold secrets (stored uncompressed, in frames of its own)? What a name says of a database counts
   * only where the content is one too.
   */
  isSecret(path: BytePath, isDatabase: boolean): boolean;
};

/** `workspaces`: workspaces below this root, relative to it; nothing in them is judged by its name. */
export function omitRules(kind: RootKind, workspaces: readonly BytePath[] = []): OmitRules {
  const own = (path: BytePath): boolean =>
    workspaces.some((workspace) => path === workspace || path.startsWith(`${workspace}/`));
  return {
    omissionFor: (path, type) => {
      const special = SPECIAL_TYPES[type];
      if (special !== undefined) return special;
      if (kind === 'agent') return agentOmission(path, type);
      if (kind !== 'state' || own(path) || USER_OWNED.test(path)) return undefined;
      return stateOmission(path, type);
    },
    isSecret: (path, isDatabase) => {
      if (isDatabase && SQLITE_NAME.test(path)) return false;
      if (SECRET_NAME.test(path)) return true;
      if (kind === 'include' || kind === 'shared' || kind === 'credentials') return true;
      if (kind === 'agent') return AGENT_SECRET.test(path);
      return kind === 'state' && !own(path) && STATE_SECRET.test(path);
    },
  };
}

const SPECIAL_TYPES: Readonly<Partial<Record<EntryType, string>>> = {
  socket: 'socket',
  fifo: 'named pipe',
  'block-device': 'device',
  'character-device': 'device',
};

/** Installed or made by the user: names mean nothing here (a Cargo.lock is no lock). */
const USER_OWNED =
  /^(workspace(-[^/]+)?|skills|hooks|extensions|media|canvas|sandboxes|memory\/lancedb)(\/|$)/;

type Rule = { readonly name: RegExp; readonly type?: EntryType; readonly why: string };

const LOCK = 'lock of a running process';
const TEMPORARY = 'left over from an interrupted write';
const PROCESS_ID = 'process id';
const BROWSER_CACHE = 'browser cache, rebuilt when it is needed';

const BROWSER_CACHES = [
  'Cache',
  'Code Cache',
  'CacheStorage',
  'Crashpad',
  'Dawn(Graphite|WebGPU)?Cache',
  'GPUCache',
  '(Gr)?ShaderCache',
  'component_crx_cache',
];

const EVERYWHERE: readonly Rule[] = [
  { name: /\.tmp$/, type: 'file', why: TEMPORARY },
  { name: /\.(json|jsonl|sqlite|json5)\.lock$/, why: LOCK },
  {
    name: /\.sqlite\.(reindex-lock|generation-lock|generation-writer)\.sqlite(-wal|-shm|-journal)?$/,
    why: LOCK,
  },
  { name: /\.sqlite\.memory-reindex-[^/]*$/, why: TEMPORARY },
  { name: /\.pid$/, type: 'file', why: PROCESS_ID },
];

const STATE: readonly Rule[] = [
  { name: /^tmp$/, type: 'dir', why: 'temporary files and locks of this machine' },
  { name: /(^|\/)gateway\.[^/]*\.lock(\.sqlite)?$/, why: LOCK },
  { name: /^gateway\.(cmd|vbs)$/, type: 'file', why: 'service script of this machine' },
  { name: /^restart-sentinel\.json$/, type: 'file', why: 'note of a restart to itself' },
  { name: /^cache\/control-ui-assets$/, why: 'copied from the program at every start' },
  { name: /^plugin-skills$/, why: 'links into the program, made at every start' },
  { name: /^completions$/, why: 'shell completion, written by the program' },
  { name: /^browser\/(.*\/)?Singleton(Lock|Socket|Cookie)$/, why: LOCK },
  {
    name: new RegExp(`^browser/[^/]+/user-data/(.*/)?(${BROWSER_CACHES.join('|')})$`, 's'),
    type: 'dir',
    why: BROWSER_CACHE,
  },
];

function stateOmission(path: BytePath, type: EntryType): string | undefined {
  const agent = /^agents\/[^/]+\/agent\/(.+)$/s.exec(path)?.[1];
  return (
    ruleFor(STATE, path, type) ??
    (agent === undefined ? ruleFor(EVERYWHERE, path, type) : agentOmission(asBytePath(agent), type))
  );
}

function agentOmission(path: BytePath, type: EntryType): string | undefined {
  if (path === 'tmp' && type === 'dir') return 'temporary files and locks of this machine';
  return ruleFor(EVERYWHERE, path, type);
}

const ruleFor = (rules: readonly Rule[], path: BytePath, type: EntryType): string | undefined =>
  rules.find((rule) => (rule.type ?? type) === type && rule.name.test(path))?.why;

/** A database is compressed page by page, each alone, which tells nothing of its neighbours. */
const SQLITE_NAME = /\.(sqlite3?|db)(-wal|-shm|-journal)?$/;

/** In every root. */
const SECRET_NAME = new RegExp(
  [
    '(^|/)\\.env(\\..*)?$',
    '(^|/)\\.(netrc|npmrc|pypirc|git-credentials)$',
    '(^|/)id_(rsa|dsa|ecdsa|ed25519)$',
    '\\.(pem|key|p12|pfx|kdbx)$',
    '(^|/)\\.(ssh|aws|gnupg)/',
  ].join('|'),
  's',
);

const STATE_SECRET = new RegExp(
  [
    // The config, its rotated copies, whatever it includes beside itself, and the file of secrets.
    '^[^/]+\\.json5?(\\.[^/]*)?$',
    '^(credentials|devices|identity|nodes|settings|push|matrix|oauth|secrets)/',
    '^agents/[^/]+/agent/',
    '^gateway/tls/',
    '^browser/[^/]+/user-data/(.*/)?(Cookies|Login Data|Web Data)(-journal)?$',
  ].join('|'),
  's',
);

const AGENT_SECRET = /\.json5?(\.[^/]*)?$/;
