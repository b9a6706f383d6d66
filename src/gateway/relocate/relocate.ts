/**
 * After a move, paths that were written down point to the old machine, and the products do not notice: they would
 * begin an empty history. Relocation edits just the places that matter: path-bearing keys of the config and its
 * includes, `sessionFile` of every session index, links between roots. As text edits; databases are left alone, but
 * for the one column that would lose the scheduler's jobs.
 */
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  fsyncSync,
  lchownSync,
  lutimesSync,
  openSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import {
  asBytePath,
  bytePathFromText,
  dirNameBytes,
  showPath,
  toFsPath,
} from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { assert } from '../../base/errors.ts';
import { outOfSpace } from '../../fs/out-of-space.ts';
import { isFull, removeTemp } from '../../fs/sqlite-copy.ts';
import { editLiterals } from '../config/literals.ts';
import { lstatIfAny } from '../disk/read.ts';
import { planConfigEdits } from './config-edits.ts';
import { applyDatabaseEdits, planDatabaseEdits } from './database-edits.ts';
import { planLinkEdits } from './link-edits.ts';
import type {
  DatabaseChange,
  LinkChange,
  LiteralChange,
  RelocationPlan,
  RelocationRequest,
} from './relocation.ts';
import { planSessionEdits } from './session-edits.ts';

export function planRelocation(request: RelocationRequest): RelocationPlan {
  const parts = [
    planConfigEdits(request),
    planSessionEdits(request),
    planLinkEdits(request),
    planDatabaseEdits(request),
  ];
  return {
    edits: parts.flatMap((part) => part.edits),
    notices: parts.flatMap((part) => part.notices),
  };
}

/**
 * Edits the staged files; mode, owner and times stay. Each file is replaced whole or not at all, so that a kill leaves
 * nothing that a restore does not see: what it finds changed it fetches again, and the plan is made anew.
 */
export function applyRelocation(plan: RelocationPlan): void {
  const literals = plan.edits.filter((edit) => edit.kind === 'literal');
  for (const [at, edits] of Map.groupBy(literals, (edit) => edit.at)) rewrite(at, edits);
  const rows = plan.edits.filter((edit) => edit.kind === 'database');
  for (const [at, edits] of Map.groupBy(rows, (edit) => edit.at)) refile(at, edits);
  for (const edit of plan.edits) if (edit.kind === 'link') relink(edit);
}

function rewrite(at: BytePath, edits: readonly LiteralChange[]): void {
  const sorted = edits.toSorted((a, b) => a.start - b.start);
  replaceFile(at, (draft) => {
    const bytes = editLiterals(readFileSync(toFsPath(at)), sorted);
    writeFileSync(draft, bytes, { mode: 0o600 });
  });
}

function refile(at: BytePath, edits: readonly DatabaseChange[]): void {
  replaceFile(at, (draft) => {
    copyFileSync(toFsPath(at), draft);
    // One that could only be kept as its files: what is not in the file itself yet lies beside it.
    for (const suffix of ['-wal', '-journal']) {
      if (lstatIfAny(toFsPath(asBytePath(at + suffix)))?.isFile() !== true) continue;
      copyFileSync(
        toFsPath(asBytePath(at + suffix)),
        toFsPath(asBytePath(at + DRAFT_SUFFIX + suffix)),
      );
    }
    applyDatabaseEdits(draft, edits);
  });
  // It is all in the file now, and replayed over it they would undo the edits.
  for (const suffix of ['-wal', '-shm', '-journal']) {
    rmSync(toFsPath(asBytePath(at + suffix)), { force: true });
  }
}

/** Named the same at every try: what a kill left is what the next try begins with. */
const DRAFT_SUFFIX = '.stateferry-edit';

function replaceFile(at: BytePath, write: (draft: string | Buffer) => void): void {
  const path = toFsPath(at);
  const stats = lstatIfAny(path);
  assert(stats?.isFile() === true, `${showPath(at)} was planned as a file`);
  removeTemp(asBytePath(at + DRAFT_SUFFIX));
  const draft = toFsPath(asBytePath(at + DRAFT_SUFFIX));
  try {
    write(draft);
    chownSync(draft, stats.uid, stats.gid);
    chmodSync(draft, stats.mode & 0o7777);
    utimesSync(draft, stats.atimeMs / 1000, stats.mtimeMs / 1000);
    syncFile(draft);
    renameSync(draft, path);
  } catch (error) {
    removeTemp(asBytePath(at + DRAFT_SUFFIX));
    throw fullOr(error, at);
  }
}

function syncFile(path: string | Buffer): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function relink(edit: LinkChange): void {
  const path = toFsPath(edit.at);
  const stats = lstatIfAny(path);
  assert(stats?.isSymbolicLink() === true, `${showPath(edit.at)} was planned as a link`);
  assert(readlinkSync(path, 'latin1') === bytePathFromText(edit.from), 'the link has changed');
  unlinkSync(path);
  try {
    symlinkSync(toFsPath(bytePathFromText(edit.to)), path);
  } catch (error) {
    throw fullOr(error, edit.at);
  }
  lchownSync(path, stats.uid, stats.gid);
  lutimesSync(path, stats.atimeMs / 1000, stats.mtimeMs / 1000);
}

const fullOr = (error: unknown, at: BytePath): unknown =>
  isFull(error) ? outOfSpace(dirNameBytes(at), error) : error;
