/** What happens by itself, with its many choices. */
import { KEEP_OPTIONS } from '../keeping/keep-rules.ts';
import type { Verb } from '../verb.ts';

export const SCHEDULE_VERB: Verb = {
  usage: 'schedule [action] [job...]',
  about: 'push every night by itself, and what else keeps a repository well',
  arguments: {
    action: 'install, status (default), remove, or run (what the timer starts)',
    job: 'with run: do this now, due or not',
  },
  options: [
    { flags: '--at <time>', about: 'time of day, by the clock of this machine (default: 03:30)' },
    { flags: '--no-push', about: 'this machine only looks after the repository' },
    ...KEEP_OPTIONS.map(({ flags, about, ...more }) => ({
      flags,
      about: `forget every week: ${about}`,
      ...more,
    })),
    {
      flags: '--prune [every]',
      about: 'take away what no snapshot needs any more: daily, weekly (default), monthly',
    },
    { flags: '--check [every]', about: 'read a twentieth of the data, the longest unread first' },
    {
      flags: '--drill [every]',
      about: 'rehearse a restore in a sandbox, of another install each time',
    },
    { flags: '--drill-folder <dir>', about: 'where its sandbox is made (default: /var/tmp)' },
    {
      flags: '--watch <age>',
      about: 'fail when nothing arrives from another machine for that long, as 3d',
    },
    {
      flags: '--notify-command <cmd>',
      about: 'run this on failure and recovery; the words are on its standard input',
    },
    { flags: '--notify-webhook <url>', about: 'post JSON there on failure and recovery' },
    { flags: '--ping <url>', about: 'post there after every run, to URL/fail when it failed' },
    { flags: '--scheduler <kind>', about: 'systemd, launchd or cron, instead of what is there' },
    { flags: '--dry-run', about: 'show the files and commands, install nothing' },
  ],
  examples: [
    'stateferry schedule install',
    'stateferry schedule install --at 02:15 --dry-run',
    'stateferry schedule install --no-push --keep-daily 14 --prune --check --drill --reader-key ./ferry.key',
    "stateferry schedule install --no-push --watch 3d --notify-command 'mail -s ferry me'",
    'stateferry schedule status',
    'stateferry schedule run drill',
    'stateferry schedule remove',
  ],
  notes: [
    'Installed only after one run in the environment of the timer: what is exported in a shell is not there.',
    'The timer fires every hour and does what is due, so a machine that slept makes up for it.',
    'All but push need a reader key, which opens and may forget everything: better on another machine.',
  ],
  load: async () => (await import('../commands/schedule.ts')).runScheduleVerb,
};
