/** Why a verb that answered did not end well, in one line: what stands first in its own answer. */
import { countText } from '../output/text/words.ts';
import type { Summary } from '../output/summary.ts';

export type Why = { readonly code: string; readonly message: string };

export function whyOf(summary: Summary, exit: number): Why {
  const [first, ...more] = complaintsOf(summary);
  if (!first) return { code: 'job-failed', message: `it ended with exit status ${exit}` };
  const others = more.length === 0 ? '' : ` (and ${countText(more.length, 'other')})`;
  return { code: first.code, message: `${first.message}${others}` };
}

function complaintsOf(summary: Summary): readonly Why[] {
  switch (summary.verb) {
    case 'push':
      return 'dryRun' in summary ? [] : [...summary.failed, ...unread(summary.snapshots)];
    case 'check':
      return summary.problems.map(({ object, code, message }) => named(object, code, message));
    case 'forget':
    case 'prune':
      return summary.refused.map(({ object, code, message }) => named(object, code, message));
    case 'drill':
      return [
        ...summary.checklist
          .filter(({ ok }) => !ok)
          .map(({ check, expected, found }) =>
            named(check, 'checklist-failed', `expected ${expected}, found ${found}`),
          ),
        ...summary.lost.map(({ path, code, why }) => named(path, code, why)),
      ];
    default:
      return [];
  }
}

const named = (what: string, code: string, message: string): Why => ({
  code,
  message: `${what}: ${message}`,
});

/** Files that a push could not read. */
const unread = (
  snapshots: readonly { readonly install: string; readonly problems: readonly unknown[] }[],
): Why[] =>
  snapshots
    .filter(({ problems }) => problems.length > 0)
    .map(({ install, problems }) =>
      named(install, 'incomplete', `${countText(problems.length, 'file')} could not be read`),
    );
