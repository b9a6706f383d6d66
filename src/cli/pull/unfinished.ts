/** Pulls that were not finished: noted before their stages are filled, and told for as long as those lie there. */
import { parseShownPath, showPath, type BytePath } from '../../base/byte-path.ts';
import { isAlive, markOfThisProcess } from '../../fs/living-process.ts';
import type { PullPlan } from '../../pull/plan/landing.ts';
import { isStageThere, leftOf } from '../../pull/swap/left-stages.ts';
import { timeText } from '../../repository/objects.ts';
import { journalsFolder } from '../../settings/places.ts';
import type { SettingsData, StagedSettings } from '../../settings/schema.ts';
import type { UnfinishedPull } from '../output/pull/summary.ts';
import type { Attention } from '../output/status/summary.ts';
import { bytesText, shortId } from '../output/text/words.ts';
import type { Session } from '../session.ts';

/** @param command the one that goes on with them */
export function noteStages(
  { settings, clock }: Session,
  plans: readonly PullPlan[],
  stages: readonly BytePath[],
  command: string,
): void {
  const staged: StagedSettings = {
    time: timeText(clock.nowMs()),
    by: markOfThisProcess(),
    installs: plans.map(({ install, snapshot }) => ({ install, snapshot })),
    stages: stages.map(showPath),
    command,
  };
  const isOther = (one: StagedSettings): boolean =>
    !one.stages.some((stage) => staged.stages.includes(stage));
  settings.update((data) => {
    const { staged: before = [], ...more } = withoutGone(data);
    return { ...more, staged: [...before.filter(isOther), staged] };
  });
}

/** What has been put in its place, or deleted by hand, is noted no more. */
export function forgetGoneStages({ settings }: Session): void {
  settings.update(withoutGone);
}

function withoutGone({ staged = [], ...data }: SettingsData): SettingsData {
  const left = staged.filter(({ stages }) =>
    stages.some((one) => isStageThere(parseShownPath(one))),
  );
  return { ...data, ...(left.length > 0 && { staged: left }) };
}

export function unfinishedAttention({
  installs,
  since,
  stages,
  command,
}: UnfinishedPull): Attention {
  const names = installs.map(({ install, snapshot }) => `${install} from ${shortId(snapshot)}`);
  const where = stages.map(({ path, bytes }) => `${path} (${bytesText(bytes)})`);
  return {
    code: 'pull-unfinished',
    message: `the pull of ${names.join(', ')}, ${since}, was not finished; it left ${where.join(', ')}`,
    hint:
      `To go on with it: ${command} — to have the space back, which changes nothing else: ` +
      stages.map(({ remove }) => remove).join(' && '),
  };
}

export function unfinishedPulls({ settings, places }: Session): UnfinishedPull[] {
  return (settings.data.staged ?? []).flatMap(({ time, by, installs, stages, command }) => {
    const left = leftOf(stages.map(parseShownPath), journalsFolder(places));
    const isUnderWay = isAlive(by, Date.parse(time));
    return left.length > 0 ? [{ installs, since: time, isUnderWay, stages: left, command }] : [];
  });
}
