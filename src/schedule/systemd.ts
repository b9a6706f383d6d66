/** systemd: a service that runs once, and a timer. Of the user's own manager; by root, for whoever owns the home. */
import type { Scheduler } from './record.ts';
import { minuteOf, type Command, type Timer, type TimerPlan } from './timer.ts';

export function systemdPlan(
  timer: Timer,
  { scope, folder = unitFolder(timer, scope) }: Pick<Scheduler, 'scope' | 'folder'>,
): TimerPlan {
  const { user } = timer;
  const name = scope === 'user' ? 'stateferry' : `stateferry-${user.name}`;
  const systemctl = (...words: string[]): Command =>
    scope === 'user' ? ['systemctl', '--user', ...words] : ['systemctl', ...words];
  return {
    scheduler: { kind: 'systemd', scope },
    files: [
      { path: `${folder}/${name}.service`, text: serviceText(timer, scope) },
      { path: `${folder}/${name}.timer`, text: timerText(timer) },
    ],
    crontab: undefined,
    reload: [systemctl('daemon-reload')],
    prove: {
      by: 'service',
      start: systemctl('start', `${name}.service`),
      stop: systemctl('stop', `${name}.service`),
    },
    // Started anew, since one that runs already would keep its old times.
    enable: [systemctl('enable', `${name}.timer`), systemctl('restart', `${name}.timer`)],
    disable: [systemctl('disable', '--now', `${name}.timer`)],
    // A run that had begun would fail without a schedule, and what failed is listed even when its file is gone.
    tidy: [
      systemctl('stop', `${name}.service`),
      systemctl('reset-failed', `${name}.service`, `${name}.timer`),
    ],
    traces: [
      `${folder}/timers.target.wants/${name}.timer`,
      `${stampFolder(timer, scope)}/stamp-${name}.timer`,
    ],
    ask: systemctl('is-active', '--quiet', `${name}.timer`),
  };
}

/**
 * The usual folder, where the manager reads units there: a manager was started before any shell, so an
 * `XDG_CONFIG_HOME` of a shell is seldom its own. Else the first that it has in this home.
 * @param unitPath its property of that name
 */
export function unitFolderIn(unitPath: string, timer: Timer): string | undefined {
  const usual = unitFolder(timer, 'user');
  if (unitPath === '' || ` ${unitPath} `.includes(` ${usual} `)) return undefined;
  return unitPath
    .split(' ')
    .find((path) => path.startsWith(`${timer.user.home}/`) && path.endsWith('/systemd/user'));
}

const unitFolder = ({ user }: Timer, scope: Scheduler['scope']): string =>
  scope === 'user' ? `${user.home}/.config/systemd/user` : '/etc/systemd/system';

/** Where a persistent timer writes down when it last fired. */
const stampFolder = ({ user }: Timer, scope: Scheduler['scope']): string =>
  scope === 'user' ? `${user.home}/.local/share/systemd/timers` : '/var/lib/systemd/timers';

/** 3: done, but some files could not be read, which `status` tells and which is no broken service. */
function serviceText(timer: Timer, scope: Scheduler['scope']): string {
  return lines([
    '[Unit]',
    'Description=stateferry: the jobs of its schedule that are due',
    // The manager of a user knows of no network.
    ...(scope === 'system' ? AFTER_NETWORK : []),
    '',
    '[Service]',
    'Type=oneshot',
    ...(scope === 'system' ? [`User=${timer.user.name}`] : []),
    ...Object.entries(timer.environment).map(([name, value]) => `Environment=${set(name, value)}`),
    `ExecStart=${startable(timer.command).map(word).join(' ')}`,
    'SuccessExitStatus=3',
    'TimeoutStartSec=24h',
    // In the journal it would be called node.
    'SyslogIdentifier=stateferry',
    'UMask=0077',
    'Nice=10',
    'IOSchedulingClass=idle',
  ]);
}

function timerText({ at }: Timer): string {
  return lines([
    '[Unit]',
    `Description=stateferry: looks every hour whether something is due (daily from ${at})`,
    '',
    '[Timer]',
    `OnCalendar=*-*-* *:${String(minuteOf(at)).padStart(2, '0')}:00`,
    'Persistent=true',
    'RandomizedDelaySec=5min',
    '',
    '[Install]',
    'WantedBy=timers.target',
  ]);
}

const AFTER_NETWORK = ['Wants=network-online.target', 'After=network-online.target'];

/** What is started may have none of these in its path, quoted or not; what follows it may. */
const startable = (command: Command): Command =>
  /["'\\$]/.test(command[0] ?? '') ? ['/bin/sh', '-c', 'exec "$0" "$@"', ...command] : command;

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`;

/** In quotes nothing splits; `%` begins a specifier everywhere and `$` a variable in a command. */
const word = (text: string): string => quoted(text).replaceAll('$', '$$$$');
const set = (name: string, value: string): string => quoted(`${name}=${value}`);
const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
