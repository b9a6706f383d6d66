/** Verbs of the move itself: what is here, into the repository, out of it, and the way back. */
import type { Verb } from '../verb.ts';

const OLD_HOME = {
  flags: '--old-home <dir>',
  about: "what --home was called on its own machine, when another machine's disk is mounted here",
};

export const MOVING_VERBS: readonly Verb[] = [
  {
    usage: 'init <location>',
    about: 'create a repository in a folder or a bucket, and hand out the recovery kit',
    arguments: { location: 'a folder, or s3://bucket/prefix' },
    options: [
      { flags: '--kit <file>', about: 'write the recovery kit into this new file (0600)' },
      { flags: '--machine <name>', about: "this machine's name in it (default: the host name)" },
      {
        flags: '--lock <days>',
        about: 'make the bucket keep new objects from being deleted for so long (Object Lock)',
      },
    ],
    examples: [
      'stateferry init /mnt/usb/ferry',
      "stateferry init 's3://my-bucket/ferry?endpoint=https://s3.example.com&region=eu-1'",
      'stateferry init /mnt/nas/ferry --passphrase-file ~/.ferry-pass --kit ~/ferry-kit.txt',
      "stateferry init 's3://my-locked-bucket/ferry' --lock 30",
    ],
    notes: [
      'The kit is shown once. Without a terminal, or with --json, --kit says where it goes.',
      'The first repository becomes the default: later commands need no -r.',
      '--lock sets the default retention (GOVERNANCE) of a bucket that was made with Object Lock, for all of it.',
    ],
    load: async () => (await import('../commands/init.ts')).runInit,
  },
  {
    usage: 'join <location>',
    about: 'let this machine push to a repository that exists',
    arguments: { location: 'a folder, or s3://bucket/prefix' },
    options: [
      {
        flags: '--machine <name>',
        about: "this machine's name in it (default: the host name, numbered where it is taken)",
      },
    ],
    examples: [
      'stateferry join /mnt/usb/ferry',
      "stateferry join 's3://my-bucket/ferry' --recovery-file ./ferry-kit.txt --machine new-laptop",
    ],
    notes: [
      'Needs the passphrase or the recovery code once; pushes after it need neither.',
      'Asks where this machine has joined already: a second time it is a new machine, which uploads everything anew.',
    ],
    load: async () => (await import('../commands/join.ts')).runJoin,
  },
  {
    usage: 'leave <location>',
    about: 'let go of a repository on this machine: its keys here, its cache, what it remembers',
    arguments: { location: 'as stateferry status names it' },
    options: [{ flags: '--dry-run', about: 'say what would go and what stays' }],
    examples: [
      'stateferry leave /mnt/usb/ferry',
      "stateferry leave 's3://old-bucket/ferry' --dry-run",
    ],
    notes: [
      'Works without the repository, which may be gone for good; nothing in it is touched or looked at.',
      'To push there again takes a join, as a new machine, which uploads everything anew.',
      'Asks first; without a terminal that needs --yes.',
    ],
    load: async () => (await import('../commands/leave.ts')).runLeave,
  },
  {
    usage: 'gateways',
    about: 'every gateway of this home: state, config, workspaces, agents, and how it is known',
    examples: [
      'stateferry gateways',
      'stateferry gateways --json',
      'sudo stateferry gateways --home /home/alice',
      'sudo stateferry gateways --home /mnt/old-disk/home/alice',
    ],
    options: [OLD_HOME],
    load: async () => (await import('../commands/gateways.ts')).runGateways,
  },
  {
    usage: 'status',
    about: 'gateways found here, repositories, last pushes, and what needs attention',
    options: [
      OLD_HOME,
      {
        flags: '--max-age <age>',
        about:
          'exit status 24 where the last push is older, as 2d, whether or not one is scheduled',
      },
    ],
    examples: ['stateferry status', 'stateferry status --json', 'stateferry status --max-age 36h'],
    load: async () => (await import('../commands/status.ts')).runStatus,
  },
  {
    usage: 'push [install...]',
    aliases: ['backup'],
    about: "snapshot this machine's gateways; they may keep running",
    arguments: { install: 'as printed by gateways; default: all of them' },
    options: [
      { flags: '--all', about: 'every local install (the default)' },
      { flags: '--include <dir>', about: 'take this directory too', repeatable: true },
      {
        flags: '--exclude <glob>',
        about: 'leave out what this matches (as .stateferryignore does)',
        repeatable: true,
      },
      { flags: '--dry-run', about: 'say what would be pushed' },
      OLD_HOME,
      { flags: '--label <text>', about: 'a word to find this snapshot by' },
    ],
    examples: [
      'stateferry push',
      "stateferry push openclaw --label 'before the update'",
      "stateferry push -r /mnt/usb/ferry -r 's3://my-bucket/ferry'",
      "stateferry push --exclude 'workspace/**/node_modules/' --dry-run",
      'sudo stateferry push --home /mnt/old-disk/home/alice',
    ],
    notes: ['Needs no passphrase on a machine that ran init or join.'],
    load: async () => (await import('../commands/push.ts')).runPush,
  },
  {
    usage: 'pull [snapshot]',
    aliases: ['restore'],
    about: 'verify a snapshot, put it in its place on this machine, repair its paths, and check it',
    arguments: {
      snapshot:
        'an id, a prefix of one, latest, latest~2; default: the latest; a ticket, or - for one piped in',
    },
    options: [
      { flags: '--install <install>', about: 'whose latest, as brand[:profile][@machine]' },
      { flags: '--into <dir>', about: 'only restore the files below this directory' },
      {
        flags: '--only <glob>',
        about: 'with --into: only what this matches, as state/agents/**',
        repeatable: true,
      },
      { flags: '--all', about: 'the newest of every install of a machine: all land, or none' },
      {
        flags: '--as <install>',
        about: 'land as another profile, or as another brand of the family: brand[:profile]',
      },
      {
        flags: '--map <old=new>',
        about: 'where a folder of the old machine goes here, also in the config',
        repeatable: true,
      },
      { flags: '--dry-run', about: 'show what would be placed and moved aside, and every edit' },
      { flags: '--no-doctor', about: "do not run the product's doctor" },
      { flags: '--no-restart', about: 'do not restart the gateway' },
      {
        flags: '--undo-on-failure',
        about:
          'undo it where a critical line of the checklist fails; the exit status is 20 then too',
      },
    ],
    examples: [
      "stateferry pull -r 's3://my-bucket/ferry' --recovery-file ferry-kit.txt",
      'stateferry pull latest~1 --install openclaw@old-mac --dry-run',
      'stateferry pull --all --install @old-mac',
      'stateferry pull --install atomicbot --as openclaw:work',
      "stateferry pull --map '/srv/old ws=/srv/ws' --map /home/al/notes=/mnt/notes",
      "stateferry pull --into ./restored --only 'state/agents/main/**'",
    ],
    notes: [
      'What is there now is moved aside, never deleted: stateferry undo puts it back.',
      'Asks before it replaces something; without a terminal that needs --yes.',
      '--map takes absolute paths; the longest OLD decides. --as names what it cannot bring along.',
    ],
    load: async () => (await import('../commands/pull.ts')).runPull,
  },
  {
    usage: 'undo [install]',
    about: 'put back, to the byte, what the last pull moved aside; or remove it for good',
    arguments: { install: 'whose last pull is meant; default: the last pull of all' },
    options: [
      {
        flags: '--discard',
        about: 'remove what pulls of it keep aside: they cannot be undone then',
      },
      { flags: '--dry-run', about: 'show what would be moved or removed' },
    ],
    examples: [
      'stateferry undo',
      'stateferry undo openclaw:work --dry-run',
      'stateferry undo --discard --yes',
    ],
    notes: [
      'What was pulled is moved aside too, since it may hold new turns, and named.',
      'Needs no repository and no secret. Asks first; without a terminal that needs --yes.',
    ],
    load: async () => (await import('../commands/undo.ts')).runUndo,
  },
  {
    usage: 'handoff [install]',
    about: 'stop the gateway here, push its last change, and print a ticket to take it over with',
    arguments: { install: 'brand or brand:profile; default: the only one' },
    options: [
      { flags: '--expires <time>', about: 'how long the ticket is good: 90m, 24h (default), 7d' },
      { flags: '--ticket-file <file>', about: 'write the ticket into this new file (0600)' },
      { flags: '--qr', about: 'show it as a QR code on the terminal too' },
      { flags: '--cancel', about: 'take an open handoff back, and start the gateway again' },
    ],
    examples: [
      'stateferry handoff',
      'stateferry handoff --yes | ssh new-host npx stateferry pull - --yes',
      'stateferry handoff openclaw:work --expires 3d --ticket-file ./ticket',
      'stateferry handoff --cancel',
    ],
    notes: [
      'Needs the passphrase, a recovery code or a reader key; the new machine needs only the ticket.',
      'Who has the ticket can read this install, until the ticket ends or is cancelled.',
      'stateferry status shows whether somebody has taken over, and whether all is well there.',
    ],
    load: async () => (await import('../commands/handoff.ts')).runHandoff,
  },
];
