/** A part of an answer that comes piece by piece: a line each, on the screen and in JSON. */
export type AnswerItem =
  | {
      readonly type: 'root';
      readonly name: string;
      readonly kind: string;
      /** On the old machine. */
      readonly path: string;
      readonly files: number;
      readonly bytes: number;
    }
  | ({ readonly type: 'entry' } & EntryLine)
  | {
      readonly type: 'match';
      readonly snapshot: string;
      readonly time: string;
      readonly install: string;
      readonly entry: EntryLine;
    }
  | {
      readonly type: 'difference';
      readonly change: 'added' | 'removed' | 'changed';
      readonly path: string;
      /** Of a change: `content`, `mode`, `owner`, `mtime`, `type`, `target`. */
      readonly what: readonly string[];
      readonly bytes: number | null;
    };

export type EntryLine = {
  readonly path: string;
  readonly kind: 'dir' | 'file' | 'symlink' | 'hardlink';
  readonly bytes: number;
  /** As `ls` shows it: `-rw-------`. */
  readonly mode: string;
  readonly owner: string;
  readonly group: string;
  readonly mtime: string;
  readonly target: string | null;
};
