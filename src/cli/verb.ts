/** What a verb is: how it is called and helped with, and where its work is imported from when it runs. */
import type { GlobalOptions } from './global-options.ts';
import type { Summary } from './output/summary.ts';
import type { Session } from './session.ts';

/** Values as commander leaves them; each command reads its own. */
export type Values = Readonly<Record<string, unknown>>;

export type Call = {
  readonly args: readonly (string | readonly string[] | undefined)[];
  readonly options: Values & GlobalOptions;
};

/** A summary, with the exit status when it is not 0. */
export type Report = { readonly summary: Summary; readonly exit?: number };

export type RunVerb = (call: Call, session: Session) => Promise<Report>;

export type Verb = {
  /** As commander writes it: `push [install...]`. */
  readonly usage: string;
  readonly aliases?: readonly string[];
  readonly about: string;
  readonly arguments?: Readonly<Record<string, string>>;
  readonly options?: readonly VerbOption[];
  readonly examples: readonly string[];
  readonly notes?: readonly string[];
  readonly load: () => Promise<RunVerb>;
};

export type VerbOption = {
  readonly flags: string;
  readonly about: string;
  readonly repeatable?: boolean;
};
