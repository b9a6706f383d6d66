/** leave: this machine lets go of a repository. Nothing of the repository is touched, or even looked at. */
import { argument, flag } from '../call.ts';
import { agreeToLeave, leavePlan, letGo } from '../members/leaving.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runLeave(call: Call, session: Session): Promise<Report> {
  const dryRun = flag(call, 'dryRun');
  if (!dryRun) session.settings.lock();
  const plan = leavePlan(session, argument(call, 0));
  if (dryRun) return { summary: { ...plan, dryRun } };
  await agreeToLeave(session, plan);
  letGo(session, plan);
  return { summary: plan };
}
