/** schedule: what happens every night without anybody. */
import { ERROR_CODES, FerryError } from '../../base/errors.ts';
import { argumentList, optionalArgument } from '../call.ts';
import { installSchedule } from '../schedule/install.ts';
import { removeSchedule } from '../schedule/remove.ts';
import { runSchedule } from '../schedule/run.ts';
import { scheduleShown, scheduleStanding } from '../schedule/standing.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export function runScheduleVerb(call: Call, session: Session): Promise<Report> {
  const action = optionalArgument(call, 0) ?? 'status';
  switch (action) {
    case 'install':
      return installSchedule(call, session);
    case 'status':
      return status(session);
    case 'remove':
      return removeSchedule(session);
    case 'run':
      return runSchedule(session, argumentList(call, 1));
    default:
      throw new FerryError('usage', `schedule ${action} is nothing that schedule does`, {
        hint: 'schedule install | status | remove | run',
      });
  }
}

async function status(session: Session): Promise<Report> {
  const standing = await scheduleStanding(session);
  return {
    exit: standing.isOverdue ? ERROR_CODES.overdue.exit : 0,
    summary: {
      verb: 'schedule',
      action: 'status',
      schedule: scheduleShown(standing),
      attention: standing.attention,
    },
  };
}
