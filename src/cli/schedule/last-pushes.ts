/** Pushes that are older than somebody wants them to be, with or without a schedule. */
import type { Install } from '../../gateway/install/install.ts';
import type { RepositorySettings } from '../../settings/schema.ts';
import type { Attention } from '../output/status/summary.ts';
import { orRetired } from '../members/retired.ts';

export function oldPushes(
  repositories: readonly RepositorySettings[],
  installs: readonly Install[],
  agesMs: { readonly now: number; readonly max: number },
): Attention[] {
  const joined = repositories.filter(({ machine }) => machine !== undefined);
  const local = installs.filter(({ mode }) => mode === 'local');
  return joined.flatMap(({ location, lastPush }) =>
    local.flatMap(({ install }): Attention[] => {
      const time = lastPush?.[install]?.time;
      const ageMs = time === undefined ? Infinity : agesMs.now - Date.parse(time);
      if (ageMs >= 0 && ageMs <= agesMs.max) return [];
      const last = time === undefined ? 'never' : `last at ${time}`;
      const message = `${install} was pushed to ${location} ${last}, which is too long ago`;
      const hint = orRetired(`stateferry push ${install} -r '${location}'`, location);
      return [{ code: 'overdue', message, hint }];
    }),
  );
}
