/** Verbs that look into snapshots, and those that carry them as plain archives. */
import type { Verb } from '../verb.ts';

export const LOOKING_VERBS: readonly Verb[] = [
  {
    usage: 'snapshots',
    about: 'list the snapshots',
    options: [{ flags: '--install <install>', about: 'only of this install' }],
    examples: ['stateferry snapshots', 'stateferry snapshots --install openclaw@old-mac --json'],
    notes: ["Without a passphrase on a machine that joined: this machine's own."],
    load: async () => (await import('../commands/snapshots.ts')).runSnapshots,
  },
  {
    usage: 'ls <snapshot>',
    about: 'list what is in a snapshot, or below one path of it',
    arguments: { snapshot: 'SNAPSHOT or SNAPSHOT:PATH' },
    options: [
      { flags: '--install <install>', about: 'whose latest is meant' },
      { flags: '--recursive', about: 'everything below, not just the one level' },
    ],
    examples: [
      'stateferry ls latest',
      'stateferry ls latest:state/agents --recursive',
      'stateferry ls 3f2a:/home/alice/.openclaw/credentials',
    ],
    notes: [
      'PATH begins with the name of a root (ls SNAPSHOT shows them), or is the absolute path on the old machine.',
    ],
    load: async () => (await import('../commands/ls.ts')).runLs,
  },
  {
    usage: 'find <pattern>',
    about: 'find files by name in all snapshots, or in those of one install',
    arguments: { pattern: 'a glob: * ? [a-z] **; without a / it is matched at every depth' },
    options: [
      { flags: '--install <install>', about: 'only in snapshots of this install' },
      { flags: '--snapshot <snapshot>', about: 'only in this one' },
    ],
    examples: [
      'stateferry find MEMORY.md',
      "stateferry find 'state/agents/*/sessions/*.jsonl' --snapshot latest",
    ],
    load: async () => (await import('../commands/find.ts')).runFind,
  },
  {
    usage: 'diff <a> <b>',
    about: 'what was added, removed and changed from one snapshot to another',
    arguments: { a: 'SNAPSHOT or SNAPSHOT:PATH', b: 'SNAPSHOT or SNAPSHOT:PATH' },
    options: [{ flags: '--install <install>', about: 'whose latest is meant' }],
    examples: [
      'stateferry diff latest~1 latest',
      'stateferry diff 3f2a:workspace latest:workspace',
    ],
    load: async () => (await import('../commands/diff.ts')).runDiff,
  },
  {
    usage: 'cat <file>',
    about: 'write one file of a snapshot to stdout',
    arguments: { file: 'SNAPSHOT:PATH' },
    options: [{ flags: '--install <install>', about: 'whose latest is meant' }],
    examples: [
      'stateferry cat latest:state/openclaw.json',
      'stateferry cat latest~3:workspace/MEMORY.md > MEMORY.old.md',
    ],
    load: async () => (await import('../commands/cat.ts')).runCat,
  },
  {
    usage: 'export <snapshot> [file]',
    about: 'write a snapshot, or a part of it, as a tar archive: in plain text',
    arguments: {
      snapshot: 'SNAPSHOT or SNAPSHOT:PATH',
      file: 'a new file (0600), or - for stdout; default: stdout',
    },
    options: [{ flags: '--install <install>', about: 'whose latest is meant' }],
    examples: [
      'stateferry export latest openclaw.tar',
      'stateferry export latest:workspace - | tar -tvf -',
    ],
    notes: ['Nothing in the archive is sealed. import takes it back.'],
    load: async () => (await import('../commands/export.ts')).runExport,
  },
  {
    usage: 'import <file...>',
    about: 'make a snapshot of archives that were made of an install with tar',
    arguments: { file: 'one or more .tar or .tar.gz of one install: state dir, workspaces' },
    options: [
      { flags: '--as <install>', about: 'which install it is: brand or brand:profile' },
      {
        flags: '--old-home <dir>',
        about: 'the home that it was in, when the archives do not tell',
      },
      { flags: '--label <text>', about: 'a word to find this snapshot by' },
    ],
    examples: [
      'stateferry import openclaw-state.tgz --as openclaw',
      'stateferry import state.tgz workspace.tgz --as resonix:work --old-home /home/alice',
    ],
    notes: ['Nothing of this machine is touched; a pull puts the snapshot in its place.'],
    load: async () => (await import('../commands/import.ts')).runImport,
  },
  {
    usage: 'demo',
    about: 'the whole move between two sandboxed homes, with nothing to configure',
    options: [
      {
        flags: '--real [package]',
        about: 'install a published gateway command and let its doctor judge (PACKAGE@VERSION)',
      },
      {
        flags: '--folder <dir>',
        about: 'a new folder for it (default: below the temporary folder)',
      },
    ],
    examples: ['stateferry demo', 'stateferry demo --real openclaw@2026.3.2'],
    notes: ['Touches nothing outside its own folder; --real keeps what it installs in the cache.'],
    load: async () => (await import('../commands/demo.ts')).runDemo,
  },
];
