/** What a relocation would edit: a value, made before anything is changed. */
import type { BytePath } from '../../base/byte-path.ts';
import type { Notice } from '../install/install.ts';
import type { PathMap } from './path-map.ts';
import type { StagedRoot } from './staged-roots.ts';

export type RelocationRequest = {
  readonly roots: readonly StagedRoot[];
  readonly map: PathMap;
  readonly oldHome: string;
  readonly newHome: string;
  /** Of the old machine. */
  readonly stateDir: string;
  readonly configPath: string;
  readonly agents: readonly { readonly id: string; readonly sessionsDir: string }[];
};

export type LiteralChange = {
  readonly kind: 'literal';
  /** The staged file. */
  readonly at: BytePath;
  /** The same file as the old machine named it. */
  readonly file: string;
  readonly where: string;
  readonly line: number;
  readonly from: string;
  readonly to: string;
  readonly start: number;
  readonly end: number;
};

export type LinkChange = {
  readonly kind: 'link';
  readonly at: BytePath;
  readonly file: string;
  readonly where: 'link target';
  readonly from: string;
  readonly to: string;
};

/** Rows of the scheduler's database are filed under the absolute path of a file that does not even exist any more. */
export type DatabaseChange = {
  readonly kind: 'database';
  readonly at: BytePath;
  readonly file: string;
  readonly where: string;
  readonly from: string;
  readonly to: string;
};

/** Of a file that another name of the install calls differently; whoever swaps the stage in does it. */
export type NameChange = {
  readonly kind: 'name';
  readonly at: BytePath;
  readonly file: string;
  readonly where: 'name';
  readonly from: string;
  readonly to: string;
};

export type RelocationEdit = LiteralChange | LinkChange | DatabaseChange | NameChange;

/** A value: `--dry-run` prints it, nothing is changed yet. Made from files that were not relocated before. */
export type RelocationPlan = {
  readonly edits: readonly RelocationEdit[];
  readonly notices: readonly Notice[];
};

/** Every edit of one file. Only paths are ever edited, so that nothing of it is a secret. */
export type FileEdits = {
  /** As the old machine named it. */
  readonly file: string;
  readonly edits: number;
  readonly changes: readonly {
    /** The key path in a config or an index, the column of a database, `link target`. */
    readonly where: string;
    readonly line: number | null;
    readonly from: string;
    readonly to: string;
  }[];
};

/** As the summary tells them. */
export function editsPerFile(plan: RelocationPlan): FileEdits[] {
  const files = Map.groupBy(plan.edits, (edit) => edit.file);
  return [...files].map(([file, edits]) => ({
    file,
    edits: edits.length,
    changes: edits.map((edit) => ({
      where: edit.where,
      line: edit.kind === 'literal' ? edit.line : null,
      from: edit.from,
      to: edit.to,
    })),
  }));
}
