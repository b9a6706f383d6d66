/** Verbs that keep a repository well over the years. */
import { KEEP_OPTIONS } from '../keeping/keep-rules.ts';
import type { Verb, VerbOption } from '../verb.ts';
import { SCHEDULE_VERB } from './schedule.ts';

/** Of a prune, wherever it is asked for. */
const PRUNE_OPTIONS: readonly VerbOption[] = [
  { flags: '--grace <days>', about: 'how long what is announced stays (default 14, least 8)' },
  {
    flags: '--repack',
    about: 'first copy what lives in packs that are mostly dead into new ones, and give those up',
  },
  { flags: '--max-repack <size>', about: 'how much may be read and stored for it (default 2G)' },
];

export const KEEPING_VERBS: readonly Verb[] = [
  {
    usage: 'check',
    about: 'is everything that the snapshots need there, whole and ours?',
    options: [
      {
        flags: '--read-data [percent]',
        about: 'read the content too: all of it, or this part, the longest unread first',
      },
    ],
    examples: [
      'stateferry check',
      'stateferry check --read-data',
      'stateferry check --read-data=5%',
    ],
    notes: [
      '--read-data needs the passphrase; without one, what this machine pushed is checked.',
      'Twenty runs with --read-data=5% have read everything, on whatever days they run.',
    ],
    load: async () => (await import('../commands/check.ts')).runCheck,
  },
  {
    usage: 'drill [snapshot]',
    about: 'rehearse a restore in a sandbox that is thrown away, and leave evidence of it',
    arguments: { snapshot: 'an id, the beginning of one, latest, latest~2; default: latest' },
    options: [
      { flags: '--install <install>', about: 'of which install, where there are several' },
      {
        flags: '--folder <dir>',
        about: 'where the sandbox is made (default: the temporary folder)',
      },
      { flags: '--report <file>', about: 'write the evidence as a page of text, too' },
      {
        flags: '--keep',
        about: 'leave the sandbox there to look at: it holds secrets in plain text',
      },
    ],
    examples: [
      'stateferry drill',
      'stateferry drill --reader-key ./drill.key --report ./last-drill.txt',
      'stateferry drill latest~1 --install openclaw@old-mac --folder /mnt/large',
    ],
    notes: [
      'Needs room for all of the install, and the passphrase or a reader key. Nothing of this machine is changed:',
      'no gateway is stopped or started, and the product works on the copy alone, in a home of its own.',
      "Where the product's command is not there, its doctor is not asked; everything else is checked.",
    ],
    load: async () => (await import('../commands/drill.ts')).runDrill,
  },
  {
    usage: 'keys [action...]',
    about: 'what opens the repository: list, add a passphrase or a reader key, a new kit, remove',
    arguments: {
      action: 'list (default), add passphrase, add reader FILE, kit [FILE], remove ID',
    },
    options: [
      {
        flags: '--new-passphrase-file <file>',
        about: 'with add passphrase: the new one, instead of a prompt',
      },
    ],
    examples: [
      'stateferry keys',
      'stateferry keys add passphrase',
      'stateferry keys kit ./new-recovery-kit.txt',
      'stateferry keys add reader ./drill.key',
      'stateferry keys remove 1f0c2a9b --recovery-file ./new-recovery-kit.txt',
    ],
    notes: [
      'Opened with the passphrase, the recovery code or a reader key: that one stays in this run.',
      'A reader key is for unattended runs: it opens everything, so it does not belong on the host of the gateway.',
      'Removing a key does not unlearn it: whoever had it may have kept what it opened.',
    ],
    load: async () => (await import('../commands/keys.ts')).runKeys,
  },
  {
    usage: 'machines [action...]',
    about: 'who writes to the repository: list, or revoke one that was lost or retired',
    arguments: { action: 'list (default), revoke NAME' },
    options: [
      {
        flags: '--last <snapshot>',
        about: 'with revoke: the last snapshot of it that counts (default: its newest)',
      },
    ],
    examples: [
      'stateferry machines',
      'stateferry machines revoke old-mac',
      'stateferry machines revoke 1f0c2a9b --last 3f2a9c1d --recovery-file ./ferry-kit.txt',
    ],
    notes: [
      'Needs the passphrase, the recovery code or a reader key.',
      'What a revoked machine stores afterwards counts nowhere, and its own push ends with exit status 25.',
      'Take away its access key or token too: revoking says what counts, it does not lock the bucket.',
    ],
    load: async () => (await import('../commands/machines.ts')).runMachines,
  },
  {
    usage: 'mirror <source> <target>',
    about: 'copy a repository as it is to a second place, or bring that copy up to date',
    arguments: {
      source: 'the repository, as a folder or s3://bucket/prefix',
      target: 'an empty place, or an earlier mirror of the same repository',
    },
    options: [
      { flags: '--read-data', about: 'compare what is there already by content, not by size' },
      { flags: '--keep-forgotten', about: 'leave snapshots there that were forgotten here' },
    ],
    examples: [
      "stateferry mirror 's3://my-bucket/ferry' /media/usb/ferry",
      "stateferry mirror /mnt/nas/ferry 's3://other/ferry?endpoint=https://s3.example.com' --read-data",
    ],
    notes: [
      'Needs no passphrase. Nothing in the target is overwritten; snapshots are copied last. The folder that the',
      'target lies in must be there: a disk that is not connected is not made up.',
      'On a machine that has joined the source, snapshots that a signed forget record names are deleted in the target',
      'too, once newer ones are there. A prune of the source frees nothing in the target, which needs its own:',
      'stateferry prune -r TARGET, after each mirror and after a prune of the source. It announces, and the next one',
      'two weeks later deletes; on a disk that comes back after more than six weeks, run it once more a day later.',
      'The options of a bucket belong to its own location here: endpoint, region and profile may differ.',
    ],
    load: async () => (await import('../commands/mirror.ts')).runMirror,
  },
  {
    usage: 'policy <role>',
    about: 'print the rights in the bucket that a role needs, for whoever makes its keys',
    arguments: { role: 'writer, reader, handoff or maintainer' },
    options: [
      { flags: '--writer <id>', about: 'the machine that it is for (default: this one)' },
      {
        flags: '--principal <user>',
        about: 'a policy of the bucket for this user, instead of one to attach to a user',
      },
    ],
    examples: [
      'stateferry policy writer > writer.json',
      "stateferry policy reader -r 's3://my-bucket/ferry'",
      'stateferry policy handoff --writer 5d41402abc4b2a76b9719d911017c592 --principal old-mac',
    ],
    notes: ['Asks nobody: it needs neither the bucket nor a secret.'],
    load: async () => (await import('../commands/policy.ts')).runPolicy,
  },
  SCHEDULE_VERB,
  {
    usage: 'copy <source> <target> [snapshot...]',
    about: 'seal snapshots anew into another repository, under its own keys',
    arguments: {
      source: 'the repository to read, as a folder or s3://bucket/prefix',
      target: 'another repository, which this machine has made or joined',
      snapshot: 'which ones; default: all that the target does not have',
    },
    options: [
      {
        flags: '--install <install>',
        about: 'only those of this install, or whose latest is meant',
      },
      { flags: '--dry-run', about: 'only say what would be copied' },
    ],
    examples: [
      "stateferry init 's3://new-bucket/ferry' --kit ./new-kit.txt",
      "stateferry copy 's3://old-bucket/ferry' 's3://new-bucket/ferry'",
      'stateferry copy /mnt/nas/ferry /mnt/usb/ferry latest --install openclaw@old-mac',
    ],
    notes: [
      'The passphrase or the recovery code is of the source; the target needs none.',
      'Times, installs and labels stay. A copy is listed as of MACHINE~THIS-MACHINE: what it is of, and who says so.',
      'This is how a repository gets new keys: init a new one, copy, and take the old one away.',
    ],
    load: async () => (await import('../commands/copy.ts')).runCopy,
  },
  {
    usage: 'forget [snapshot...]',
    about: 'delete the snapshots that no keep rule keeps, each with a reason',
    arguments: {
      snapshot: 'instead of rules: the ids of those to delete, also of such as cannot be read',
    },
    options: [
      { flags: '--install <install>', about: 'only of this one: brand[:profile][@machine]' },
      ...KEEP_OPTIONS,
      {
        flags: '--missing',
        about: 'instead of rules: accept as lost what is missing and no record explains',
      },
      {
        flags: '--dry-run',
        about:
          'show what would stay and what would go, and why (with --prune: and what prune would then do)',
      },
      {
        flags: '--more-than-usual',
        about: 'go on where nobody looks and far more than usual would be forgotten',
      },
      { flags: '--prune', about: 'then prune, in the same run' },
      ...PRUNE_OPTIONS,
    ],
    examples: [
      'stateferry forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12 --dry-run',
      'stateferry forget --keep-daily 7 --keep-weekly 5 --keep-monthly 12',
      'stateferry forget --keep-within 30d --keep-label gold --install openclaw@old-mac',
      'stateferry forget --keep-daily 14 --prune --repack --yes --reader-key ./keeper.key',
      'stateferry forget --missing --dry-run',
      'stateferry forget 3f2a9c1d',
    ],
    notes: [
      'Each machine and install counts by itself, by the store’s time, in UTC. Its newest snapshot always stays.',
      'What one rule keeps stays, whatever the others say. A record in the repository says what was forgotten.',
      'With --yes or without a terminal it stops when it would forget far more than usual of one machine: more than',
      '30, and more than 4 times what the last runs took of it.',
      'The space is freed by prune, or in the same run with --prune.',
      'Needs the passphrase, the recovery code or a reader key, and the right to delete.',
    ],
    load: async () => (await import('../commands/forget.ts')).runForget,
  },
  {
    usage: 'prune',
    about: 'take away what no snapshot needs any more: announced first, deleted by a later run',
    options: [
      { flags: '--dry-run', about: 'show what would be announced and deleted' },
      {
        flags: '--accept-missing',
        about: 'go on although snapshots are missing that no forget record explains',
      },
      ...PRUNE_OPTIONS,
    ],
    examples: [
      'stateferry prune --dry-run',
      'stateferry prune',
      'stateferry prune --repack --max-repack 500M',
      'stateferry prune --yes --reader-key ./keeper.key',
    ],
    notes: [
      'Run it every week: one run announces, and one at least --grace days later deletes.',
      'Safe while other machines push. What was interrupted goes on with the next run.',
      '--repack reads the lists of files of all snapshots and moves until less than a tenth lies dead; a scheduled',
      'prune does it. The space is free a grace period later; where Object Lock holds the old packs, when that ends.',
      'Needs the passphrase, the recovery code or a reader key, and credentials that may delete.',
    ],
    load: async () => (await import('../commands/prune.ts')).runPrune,
  },
  {
    usage: 'repair',
    about: 'make bad or missing indexes anew, and have damaged packs pushed again',
    options: [
      { flags: '--read-data [percent]', about: 'read the content too, to find what is damaged' },
      { flags: '--dry-run', about: 'show what would be repaired, and what is lost' },
    ],
    examples: ['stateferry repair --dry-run', 'stateferry repair --read-data'],
    notes: [
      'No snapshot and no pack is taken away. The next push stores again what is damaged and still on its machine.',
      'Needs the passphrase, the recovery code or a reader key.',
    ],
    load: async () => (await import('../commands/repair.ts')).runRepair,
  },
  {
    usage: 'probe [location]',
    about: 'try out what a store does: conditional writes, checksums, listings, latency',
    arguments: { location: 'default: the repository in use' },
    examples: ["stateferry probe 's3://my-bucket/ferry'", 'stateferry probe --json'],
    notes: ['Writes a few small objects below probe/ and removes them again.'],
    load: async () => (await import('../commands/probe.ts')).runProbe,
  },
];
