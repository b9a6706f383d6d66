/** What happens by itself, with its many choices. */
import type { Verb } from '../verb.ts';

export const SCHEDULE_VERB: Verb = {
  usage: 'schedule <action>',
  about: 'push every night by itself, and what else keeps a repository well',
  arguments: { action: 'install, status, remove, or run (what the timer starts)' },
  options: [
    { flags: '--at <time>', about: 'time of day, by the clock of this machine (default: 03:30)' },
    { flags: '--no-push', about: 'this machine only looks after the repository' },
    {
      flags: '--check [every]',
      about: 'read a part of the data: daily, weekly (default), monthly',
    },
    { flags: '--scheduler <kind>', about: 'systemd, launchd or cron, instead of what is there' },
    { flags: '--dry-run', about: 'show the files and commands, install nothing' },
  ],
  examples: [
    'stateferry schedule install',
    'stateferry schedule install --at 02:15 --dry-run',
    'stateferry schedule install --no-push --check weekly --reader-key /root/ferry.key',
    'stateferry schedule status',
    'stateferry schedule remove',
  ],
  notes: [
    'Installed only after one run in the environment of the timer: what is exported in a shell is not there.',
    'The timer fires every hour and does what is due, so a machine that slept makes up for it.',
    'All but push need a reader key, which opens and may forget everything: better on another machine.',
  ],
  load: async () => (await import('../commands/schedule.ts')).runScheduleVerb,
};
