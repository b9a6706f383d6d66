/** A directory tree that belongs to an install, as plain data. */
import type { BytePath } from '../../base/byte-path.ts';

export type Root = {
  /** `state`, `workspace`, `workspace-2`, …: the same at every push of an unchanged install. */
  readonly name: string;
  readonly kind: RootKind;
  /** Where it belongs: what a new machine maps. */
  readonly path: BytePath;
  /** Where it is read on this machine. */
  readonly readFrom: BytePath;
  /** Other names that it has, through links. */
  readonly aliases: readonly BytePath[];
  /** Links, wherever they are, that lead to files of the install: they shall do so elsewhere too. */
  readonly links?: readonly BytePath[];
  /** Just these entries directly in the directory, with what is below them; absent: all of it. */
  readonly only?: readonly BytePath[];
  /** Workspaces below it, relative to it: nothing in them is judged by its name. */
  readonly workspaces: readonly BytePath[];
  /** The facts that led to it, for people. */
  readonly because: readonly string[];
};

/** `state` follows the layout of a state dir; `agent` that of an agent's folder; the others are the user's own. */
export type RootKind =
  | 'state'
  | 'agent'
  | 'workspace'
  | 'include'
  | 'credentials'
  | 'data'
  | 'shared';
