/** systemd: a service that runs once, and a timer. Of the user's own manager; by root, for whoever owns the home. */
import { minuteOf, type Command, type Timer, type TimerPlan } from './timer.ts';

export function systemdPlan(timer: Timer, scope: 'user' | 'system'): TimerPlan {
  const { user } = timer;
  const name = scope === 'user' ? 'stateferry' : `stateferry-${user.name}`;
  const folder = scope === 'user' ? `${user.configFolder}/systemd/user` : '/etc/systemd/system';
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
    ask: systemctl('is-active', '--quiet', `${name}.timer`),
  };
}

/** 3: done, but some files could not be read, which `status` tells and which is no broken service. */
function serviceText(timer: Timer, scope: 'user' | 'system'): string {
  return lines([
    '[Unit]',
    'Description=stateferry: the jobs of its schedule that are due',
    '',
    '[Service]',
    'Type=oneshot',
    ...(scope === 'system' ? [`User=${timer.user.name}`] : []),
    ...Object.entries(timer.environment).map(([name, value]) => `Environment=${set(name, value)}`),
    `ExecStart=${timer.command.map(word).join(' ')}`,
    'SuccessExitStatus=3',
    'TimeoutStartSec=24h',
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

const lines = (all: readonly string[]): string => `${all.join('\n')}\n`;

/** In quotes nothing splits; `%` begins a specifier everywhere and `$` a variable in a command. */
const word = (text: string): string => quoted(text).replaceAll('$', '$$$$');
const set = (name: string, value: string): string => quoted(`${name}=${value}`);
const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%')}"`;
