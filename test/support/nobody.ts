/** Tests that become another user, since nothing is closed to root. */
import { closeSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';

export const NOBODY = 65_534;

/** Without the rights of root, where this is root. */
export async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(NOBODY);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

/**
 * Why such a test cannot run, or undefined: the other user loads its code from this checkout, which may lie where only
 * we may read.
 */
export function nobodyAbsence(): string | undefined {
  if (process.getuid?.() !== 0) return undefined;
  process.seteuid?.(NOBODY);
  try {
    // Opened, since access(2) would ask for the real user.
    for (const path of [import.meta.filename, process.execPath, tmpdir()])
      closeSync(openSync(path, 'r'));
    return undefined;
  } catch {
    return 'another user may not read this checkout or its temporary folder';
  } finally {
    process.seteuid?.(0);
  }
}
