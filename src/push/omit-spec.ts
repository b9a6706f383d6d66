/** What a root leaves out, as data that may go from thread to thread, and the rule that it stands for. */
import type { BytePath } from '../base/byte-path.ts';
import { omitMatching, type Pattern } from '../fs/globs.ts';
import type { OmitRule } from '../fs/walk.ts';
import { omitRules } from '../gateway/contents/omit-rules.ts';
import type { RootKind } from '../gateway/install/root.ts';
import { NOT_PART } from './omission-log.ts';

export type OmitSpec = {
  readonly kind: RootKind;
  /** Below this root, relative to it: nothing in them is judged by its name. */
  readonly workspaces: readonly BytePath[];
  /** The only entries of its folder that belong to it; absent: all. */
  readonly only?: readonly string[];
  /** Other roots inside this one, relative to it. */
  readonly inner: readonly BytePath[];
  /** The user's own wishes, of the command line and of the file in the root. */
  readonly excluded: readonly (readonly Pattern[])[];
};

export function omitRuleOf({ kind, workspaces, only, inner, excluded }: OmitSpec): OmitRule {
  const rules = omitRules(kind, workspaces);
  const wishes = excluded.map(omitMatching);
  const names = only && new Set(only);
  const others = new Set<string>(inner);
  return (path, type) => {
    if (names && !names.has(path.split('/')[0] ?? '')) return NOT_PART;
    if (others.has(path)) return NOT_PART;
    for (const wish of wishes) {
      const reason = wish(path, type);
      if (reason !== undefined) return reason;
    }
    return rules.omissionFor(path, type);
  };
}
