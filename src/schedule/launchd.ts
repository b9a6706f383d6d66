/**
 * launchd: an agent of the user, or a daemon by root. What StartCalendarInterval misses while the machine sleeps is
 * made up for once when it wakes; after a start of the machine RunAtLoad does the same.
 */
import { minuteOf, type Timer, type TimerPlan } from './timer.ts';

export function launchdPlan(timer: Timer, scope: 'user' | 'system'): TimerPlan {
  const { user } = timer;
  const label = scope === 'user' ? 'stateferry.schedule' : `stateferry.schedule.${user.name}`;
  const folder = scope === 'user' ? `${user.home}/Library/LaunchAgents` : '/Library/LaunchDaemons';
  const domain = scope === 'user' ? `gui/${user.uid}` : 'system';
  const path = `${folder}/${label}.plist`;
  return {
    scheduler: { kind: 'launchd', scope },
    files: [{ path, text: plistText(timer, label, scope) }],
    crontab: undefined,
    reload: [],
    prove: { by: 'command', command: timer.command, environment: timer.environment },
    enable: [
      ['launchctl', 'enable', `${domain}/${label}`],
      ['launchctl', 'bootstrap', domain, path],
    ],
    disable: [['launchctl', 'bootout', `${domain}/${label}`]],
    tidy: [],
    traces: [],
    ask: ['launchctl', 'print', `${domain}/${label}`],
  };
}

function plistText(timer: Timer, label: string, scope: 'user' | 'system'): string {
  const { user, environment, command, at } = timer;
  const log = `${user.home}/Library/Logs/stateferry.log`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
    '<dict>',
    ...entry('Label', string(label)),
    ...(scope === 'system' ? entry('UserName', string(user.name)) : []),
    ...entry('ProgramArguments', '<array>'),
    ...command.map((word) => `    ${string(word)}`),
    '  </array>',
    ...entry('EnvironmentVariables', '<dict>'),
    ...Object.entries(environment).map(([name, value]) => `    ${key(name)}${string(value)}`),
    '  </dict>',
    ...entry('StartCalendarInterval', '<dict>'),
    `    ${key('Minute')}<integer>${minuteOf(at)}</integer>`,
    '  </dict>',
    ...entry('RunAtLoad', '<true/>'),
    ...entry('ProcessType', string('Background')),
    ...entry('LowPriorityIO', '<true/>'),
    ...entry('Nice', '<integer>10</integer>'),
    ...entry('Umask', '<integer>63</integer>'),
    ...entry('StandardOutPath', string(log)),
    ...entry('StandardErrorPath', string(log)),
    '</dict>',
    '</plist>',
    '',
  ].join('\n');
}

const entry = (name: string, value: string): string[] => [`  ${key(name)}`, `  ${value}`];
const key = (name: string): string => `<key>${escaped(name)}</key>`;
const string = (text: string): string => `<string>${escaped(text)}</string>`;

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
