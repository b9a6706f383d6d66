/** Timers of a user stop with their last session, unless the user lingers. */
import { tell } from '../../schedule/scheduler-command.ts';
import type { Scheduler } from '../../schedule/record.ts';
import type { Session } from '../session.ts';
import { timerDeps, timerWith } from './timer.ts';

export async function sayLingering(session: Session, { kind, scope }: Scheduler): Promise<void> {
  if (kind !== 'systemd' || scope !== 'user') return;
  const { name } = timerWith(session, '00:00', []).user;
  const ask = ['loginctl', 'show-user', name, '--property=Linger', '--value'];
  const { exit, stdout } = await tell(ask, timerDeps(session), session.signal);
  if (exit === 0 && stdout.trim() === 'yes') return;
  session.emit({
    type: 'notice',
    code: 'no-linger',
    message: `the timer runs only while ${name} is logged in`,
    hint: `So that it also runs before anybody logs in: loginctl enable-linger ${name}`,
  });
}
