/** What keeps a forget from doing harm where nobody looks: a rolled-back history, and far more than usual. */
import { FerryError } from '../../base/errors.ts';
import type { ForgetPlan } from '../../maintenance/forget/forget-plan.ts';
import { isYes } from '../confirm.ts';
import { missingText, ROLLBACK_HINT, type Lack } from '../looking/history.ts';
import type { Session } from '../session.ts';

/**
 * The newest ones may be hidden: rules would count from older ones, and forget what they should keep.
 * @throws history-rolled-back, unless a person says yes
 */
export async function refuseRolledBack(session: Session, { missing }: Lack): Promise<void> {
  const [first] = missing;
  if (!first) return;
  const question = 'Forget all the same, by what it shows? [y/N] ';
  if (isAttended(session) && isYes(await session.terminal.ask(question, session.signal))) return;
  throw new FerryError('history-rolled-back', `nothing was forgotten: ${missingText(first)}`, {
    hint: `${ROLLBACK_HINT} Only a person at a terminal can go on; --yes does not stand for it.`,
  });
}

/** @throws confirmation-needed where nobody looks at the plan */
export function refuseUnusual(session: Session, { unusual }: ForgetPlan): void {
  const [first] = unusual;
  if (!first || isAttended(session)) return;
  const { machine, count, usual } = first;
  const often = usual === 0 ? 'nothing of it was forgotten before' : `usually it is ${usual}`;
  throw new FerryError(
    'confirmation-needed',
    `this would forget ${count} snapshots of ${machine} at once, and ${often}`,
    {
      hint:
        'Look at the plan (--dry-run): is it a flood of new ones, or another rule? If it is right, run it once at a ' +
        'terminal, or with --more-than-usual.',
    },
  );
}

/** A person sees the plan and answers. */
const isAttended = ({ terminal, options }: Session): boolean =>
  terminal.isThere && options.json !== true && options.yes !== true;
