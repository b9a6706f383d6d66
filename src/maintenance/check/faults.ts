/** What a check found wrong, and what each of it costs: which snapshots and which files. */
import { joinBytes, asBytePath, showPath, type BytePath } from '../../base/byte-path.ts';
import type { OpenedCover } from '../../repository/snapshots.ts';

/** Files that one problem names; the others are counted. */
const FILES_NAMED_MAX = 10;
const SNAPSHOTS_NAMED_MAX = 3;

export type CheckProblem = {
  readonly object: string;
  readonly code: string;
  readonly message: string;
  /** Ids of the snapshots that it takes something from, newest first. */
  readonly snapshots: readonly string[];
  /** Of all those snapshots together; a file that several have counts once. */
  readonly files: { readonly lost: number; readonly named: readonly string[] };
};

type Fault = {
  readonly code: string;
  readonly why: string;
  readonly snapshots: Map<string, OpenedCover>;
  readonly files: Set<string>;
  /** Whole parts of a tree, which nobody can count the files of. */
  readonly parts: Set<string>;
};

/** By object, with the latest that is known of it. */
export class Faults {
  readonly #faults = new Map<string, Fault>();

  get size(): number {
    return this.#faults.size;
  }

  has(object: string): boolean {
    return this.#faults.has(object);
  }

  add(object: string, code: string, why: string): void {
    const known = this.#faults.get(object);
    const { snapshots, files, parts } = known ?? NEW_FAULT();
    this.#faults.set(object, { code, why, snapshots, files, parts });
  }

  costsSnapshot(object: string, cover: OpenedCover): void {
    this.#faults.get(object)?.snapshots.set(cover.id, cover);
  }

  costsFile(object: string, cover: OpenedCover, root: string, path: BytePath): void {
    this.costsSnapshot(object, cover);
    this.#faults.get(object)?.files.add(shownIn(root, path));
  }

  /** Everything from `path` on that lies in one page of the tree or below it. */
  costsPart(object: string, cover: OpenedCover, root: string, path: BytePath): void {
    this.costsSnapshot(object, cover);
    const from = path === '' ? '' : ` from ${showPath(path)} on`;
    this.#faults.get(object)?.parts.add(`${root}${from}`);
  }

  problems(): CheckProblem[] {
    return [...this.#faults].map(([object, fault]) => {
      const { code, why, files, parts } = fault;
      const covers = [...fault.snapshots.values()].toSorted(newestFirst);
      const named = [...parts].map((part) => `any file of ${part}`).concat([...files]);
      const cost = costText(covers, files.size, parts.size, named);
      return {
        object,
        code,
        message: cost === '' ? why : `${why}; ${cost}`,
        snapshots: covers.map(({ id }) => id),
        files: { lost: files.size, named: named.slice(0, FILES_NAMED_MAX) },
      };
    });
  }
}

const NEW_FAULT = (): Pick<Fault, 'snapshots' | 'files' | 'parts'> => ({
  snapshots: new Map(),
  files: new Set(),
  parts: new Set(),
});

const shownIn = (root: string, path: BytePath): string =>
  path === '' ? root : showPath(joinBytes(asBytePath(root), path));

const newestFirst = (a: OpenedCover, b: OpenedCover): number =>
  a.cover.time < b.cover.time ? 1 : a.cover.time > b.cover.time ? -1 : 0;

function costText(
  covers: readonly OpenedCover[],
  files: number,
  parts: number,
  named: readonly string[],
): string {
  if (covers.length === 0) return '';
  const ids = covers.slice(0, SNAPSHOTS_NAMED_MAX).map(({ id }) => id.slice(0, 8));
  const more = covers.length > ids.length ? ', …' : '';
  const who = `${covers.length === 1 ? 'snapshot' : `${covers.length} snapshots`} ${ids.join(', ')}${more}`;
  if (files + parts === 0) return `needed by ${who}`;
  const shown = named.slice(0, FILES_NAMED_MAX);
  const rest = named.length > shown.length ? `, and ${named.length - shown.length} more` : '';
  return `${who} cannot restore ${shown.join(', ')}${rest}`;
}
