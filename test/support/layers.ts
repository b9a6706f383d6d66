/**
 * The architecture as data: which folder of src may import which, and who holds the door to what. The same table stands
 * in src/ARCHITECTURE.md for readers, and architecture.test.ts compares the two. Run this file to print it as Markdown.
 */

/** What every operation (push, pull, browse) may use; operations do not import each other. */
const BELOW_OPERATIONS = [
  'base',
  'crypto',
  'codec',
  'format',
  'store',
  'process',
  'fs',
  'tar',
  'workers',
  'gateway',
  'repository',
] as const;

/** Folder of src → folders it may import. What is not named here does not exist. */
export const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  crypto: ['base'],
  codec: ['base'],
  store: ['base'],
  process: ['base'],
  format: ['base', 'crypto', 'codec'],
  fs: ['base', 'process'],
  tar: ['base', 'format', 'fs'],
  workers: ['base', 'crypto', 'codec', 'format', 'fs'],
  gateway: ['base', 'format', 'process', 'fs'],
  repository: ['base', 'crypto', 'codec', 'format', 'store', 'fs', 'workers'],
  push: BELOW_OPERATIONS,
  pull: BELOW_OPERATIONS,
  browse: BELOW_OPERATIONS,
  maintenance: BELOW_OPERATIONS,
  transfer: [...BELOW_OPERATIONS, 'push'],
  handoff: [...BELOW_OPERATIONS, 'push'],
  schedule: ['base', 'process', 'fs'],
  settings: ['base', 'crypto', 'format', 'store', 'fs', 'gateway', 'repository', 'schedule'],
  drill: [...BELOW_OPERATIONS, 'pull'],
  cli: [
    ...BELOW_OPERATIONS,
    'push',
    'pull',
    'browse',
    'maintenance',
    'transfer',
    'handoff',
    'schedule',
    'drill',
    'settings',
  ],
};

/**
 * The parts of a large folder, from the ground up, each with what it holds. A part imports only those before it; files
 * directly in the folder stand on all of them.
 */
export const PARTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  gateway: {
    install:
      'an install as plain data: brand, profile, roots, counts, and what a snapshot records of it',
    disk: 'paths as text; files and databases that are only read; a dead machine’s disk under its own paths',
    config: 'the config with its includes, variables and agents, and which of its keys hold paths',
    product: 'the product’s own command: found, run, and what it answers',
    contents:
      'what belongs to an install: its roots, what of them is left out, how much of everything there is',
    services: 'service files: read for what they tell, fenced after a handoff',
    running: 'whether a gateway runs; how it is stopped and started again',
    discover: 'which installs are here: our own reading, and the product’s answer against it',
    relocate: 'where paths are after a move, and the edits of those that were written down',
    landing:
      'the product after a move: brought up, checked line by line, and what is left for a person',
    sample: 'a made-up install and a stand-in for the product’s command',
  },
  pull: {
    restore:
      'trees of a snapshot in stage directories: what is wanted, from which packs, placed whole',
    places: 'where everything of a snapshot goes here, and what may not land so',
    plan: 'what a pull is asked for, and all that is found out before anything is written',
    stage: 'an install in its stages: filled, counted, its paths repaired; or only rehearsed',
    swap: 'the journal and its renames, while no gateway runs; what it leaves',
    undo: 'the way back, and what is kept for it',
  },
  maintenance: {
    check: 'whether all that snapshots need is there, whole and ours; whose turn it is to be read',
    prune: 'what nobody needs any more: announced, and a grace period later deleted',
    forget: 'snapshots that no rule keeps, and what is given up as lost',
    repack: 'what lives in packs that are mostly dead, copied into new ones',
    mirror: 'the same repository in a second place, and what was forgotten going from there too',
  },
};

/** Files directly in src: the bin and what makes the package. */
export const TOP_FILES: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['base', 'cli'],
  // One light file of it, before anything heavy is loaded.
  'bin.cts': ['main.ts', 'settings'],
};

export type Door = {
  readonly what: string;
  /** Of import specifiers. */
  readonly modules?: RegExp;
  /** Of source text without comments. */
  readonly text?: RegExp;
  /** Folders (`store/`), files, or the beginning of file names (`repository/cache`), relative to src. */
  readonly holders: readonly string[];
  readonly why: string;
};

export const DOORS: readonly Door[] = [
  {
    what: 'the AWS SDK',
    modules: /^@(aws-sdk|smithy)\//,
    holders: ['store/'],
    why: 'everyone else speaks ObjectStore',
  },
  {
    what: 'libsodium',
    modules: /^libsodium/,
    holders: ['crypto/'],
    why: 'one place decides about keys',
  },
  {
    what: 'node:crypto',
    modules: /^(node:)?crypto$/,
    holders: ['crypto/', 'store/', 'gateway/running/'],
    why: 'keys and ids are made in crypto; a store makes checksums and temporary names; locks are named by a hash',
  },
  {
    what: 'tar-stream',
    modules: /^tar-stream$/,
    holders: ['tar/'],
    why: 'the rest of the code knows entries, not archives',
  },
  {
    what: 'child processes',
    modules: /^(node:)?(child_process|cluster)$/,
    holders: ['process/'],
    why: 'time limits, environments and output limits are set once',
  },
  {
    what: 'threads',
    modules: /^(node:)?worker_threads$/,
    holders: ['workers/'],
    why: 'tasks run the same inline and on threads',
  },
  {
    what: 'the file system',
    modules: /^(node:)?fs(\/promises)?$/,
    holders: [
      'fs/',
      'store/folder-',
      'settings/',
      'repository/cache',
      'gateway/',
      'schedule/install-timer.ts',
    ],
    why: 'names are bytes, links are not followed, writes are durable: known in few places',
  },
  {
    what: 'SQLite',
    modules: /^(node:)?sqlite$/,
    holders: ['fs/', 'repository/cache', 'gateway/'],
    why: 'a database opened the wrong way changes the user’s files',
  },
  {
    what: 'compression',
    modules: /^(node:)?zlib$/,
    holders: ['codec/', 'tar/', 'store/', 'workers/'],
    why: 'what shares a context is a decision about secrets (codec); gzip is of tar, CRC-32 of the wire',
  },
  {
    what: 'the network',
    modules: /^(node:)?(http|https|http2|net|tls|dgram|dns)$/,
    text: /\bfetch\s*\(/,
    holders: ['store/', 'gateway/running/', 'gateway/sample/stand-in-main.ts', 'schedule/post.ts'],
    why: 'nothing else talks to anyone; a gateway is asked at its port, and notifications are posted',
  },
  {
    what: 'commander',
    modules: /^commander$/,
    holders: ['cli/'],
    why: 'the engine has no arguments',
  },
  {
    what: 'the environment',
    text: /\bprocess\s*\.\s*env\b/,
    holders: ['settings/'],
    why: 'the engine gets plain values',
  },
  {
    what: 'the process and its terminal',
    text: /\bprocess\s*\.\s*(stdout|stderr|stdin|exit|exitCode|argv|on|once)\b/,
    holders: ['cli/', 'main.ts', 'bin.cts', 'gateway/sample/stand-in-main.ts'],
    why: 'the engine emits events; the command line chooses words',
  },
  {
    what: 'node:process',
    modules: /^(node:)?process$/,
    holders: [],
    why: 'the global is what the two doors above look for',
  },
  {
    what: 'the console',
    text: /\bconsole\s*\./,
    holders: ['bin.cts'],
    why: 'stdout is the answer and stderr the talk, written in cli/output',
  },
  {
    what: 'the clock',
    text: /\bDate\s*\.\s*now\b|\bnew\s+Date\s*\(\s*\)/,
    holders: ['base/clock.ts', 'fs/'],
    why: 'tests own time; only times of files are held against this machine’s clock',
  },
  {
    what: 'weak randomness',
    text: /\bMath\s*\.\s*random\b/,
    holders: [],
    why: 'random comes from crypto, or from a seed',
  },
];

/** Folders that touch nothing but bytes, and the builtins that they may use. */
export const PURE: Readonly<Record<string, readonly string[]>> = {
  base: ['node:buffer', 'node:util', 'node:events'],
  crypto: ['node:crypto', 'node:buffer', 'node:util'],
  codec: ['node:zlib', 'node:buffer', 'node:util'],
  format: ['node:buffer', 'node:util'],
};

/** The layer table as it stands in src/ARCHITECTURE.md. */
export function layersAsMarkdown(): string {
  const rows = Object.entries(LAYERS).map(
    ([folder, below]) => `| \`${folder}\` | ${inCode(below)} |`,
  );
  return ['| folder | may import |', '|---|---|', ...rows].join('\n');
}

/** The parts as they stand in src/ARCHITECTURE.md. */
export function partsAsMarkdown(): string {
  const rows = Object.entries(PARTS).flatMap(([folder, parts]) =>
    Object.entries(parts).map(([part, holds]) => `| \`${folder}/${part}\` | ${holds} |`),
  );
  return ['| part | holds |', '|---|---|', ...rows].join('\n');
}

/** The doors as they stand in src/ARCHITECTURE.md. */
export function doorsAsMarkdown(): string {
  const rows = DOORS.map((door) => `| ${door.what} | ${inCode(door.holders)} | ${door.why} |`);
  return ['| door to | held by | why |', '|---|---|---|', ...rows].join('\n');
}

function inCode(names: readonly string[]): string {
  return names.length === 0 ? '–' : names.map((name) => `\`${name}\``).join(', ');
}

if (import.meta.main) {
  const tables = [layersAsMarkdown(), partsAsMarkdown(), doorsAsMarkdown()];
  process.stdout.write(`${tables.join('\n\n')}\n`);
}
