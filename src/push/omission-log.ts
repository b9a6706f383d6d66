/** Everything left out or failed in one push, by name. Nothing is ever dropped from here. */
import { showPath, type BytePath } from '../base/byte-path.ts';
import type { Emit } from '../base/events.ts';

export type Omission = { readonly path: string; readonly reason: string };
export type Problem = { readonly path: string; readonly code: string };

/** The reason of what never belonged to the install: entries beside the few that a root is made of. */
export const NOT_PART = 'not part of the install';

export class OmissionLog {
  readonly omissions: Omission[] = [];
  readonly problems: Problem[] = [];
  readonly #root: string;
  readonly #emit: Emit;

  /** @param root what stands before every path: the root's name */
  constructor(root: string, emit: Emit) {
    this.#root = root;
    this.#emit = emit;
  }

  omission(path: BytePath, reason: string): void {
    if (reason === NOT_PART) return;
    const omission = { path: this.#shown(path), reason };
    this.omissions.push(omission);
    this.#emit({ type: 'omission', ...omission });
  }

  problem(path: BytePath, code: string, message: string): void {
    const shown = this.#shown(path);
    this.problems.push({ path: shown, code });
    this.#emit({ type: 'problem', path: shown, code, message });
  }

  #shown(path: BytePath): string {
    return path === '' ? this.#root : `${this.#root}/${showPath(path)}`;
  }
}
