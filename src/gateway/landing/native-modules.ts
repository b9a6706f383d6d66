/** Plugins whose compiled parts are of another kind of machine than this one. */
import { openSync, readSync, closeSync } from 'node:fs';
import {
  asBytePath,
  bytePathFromText,
  joinBytes,
  toFsPath,
  type BytePath,
} from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { entriesIn, namesIn, statIfAny } from '../disk/read.ts';

export type Machine = { readonly platform: string; readonly arch: string };

/** Names of the folders below `extensions` that hold compiled modules, and none for this machine. */
export function foreignExtensions(stateDir: string, machine: Machine): string[] {
  const folder = `${stateDir}/extensions`;
  return namesIn(folder).filter((name) => {
    const at = joinBytes(bytePathFromText(folder), asBytePath(name));
    if (statIfAny(toFsPath(at))?.isDirectory() !== true) return false;
    const built = compiledIn(at).map(machineOf);
    const isHere = (one: Machine | undefined): boolean =>
      one?.platform === machine.platform && (one.arch === machine.arch || one.arch === 'any');
    return built.length > 0 && !built.some(isHere);
  });
}

/** Far more than a plugin has; one beyond it is not judged. */
const ENTRIES_MAX = 100_000;

function compiledIn(folder: BytePath): BytePath[] {
  const found: BytePath[] = [];
  const pending = [folder];
  let seen = 0;
  for (let next = pending.pop(); next !== undefined && seen < ENTRIES_MAX; next = pending.pop()) {
    for (const entry of entriesOf(next)) {
      seen += 1;
      const path = joinBytes(next, entry.name);
      if (entry.isDirectory) pending.push(path);
      else if (entry.isFile && entry.name.endsWith('.node')) found.push(path);
    }
  }
  return found;
}

function entriesOf(folder: BytePath): ReturnType<typeof entriesIn> {
  try {
    return entriesIn(folder);
  } catch (error) {
    if (error instanceof FerryError && error.code === 'file-unreadable') return [];
    throw error;
  }
}

/** By the first bytes of the file: ELF, Mach-O (one machine, or several in one file), PE. */
function machineOf(path: BytePath): Machine | undefined {
  const head = headOf(path);
  const magic = head.readUInt32BE(0);
  if (magic === 0x7f_45_4c_46) return { platform: 'linux', arch: ELF[head.readUInt16LE(18)] ?? '' };
  if (magic === 0xcf_fa_ed_fe)
    return { platform: 'darwin', arch: MACH[head.readUInt32LE(4)] ?? '' };
  if (magic === 0xca_fe_ba_be) return { platform: 'darwin', arch: 'any' };
  return magic >>> 16 === 0x4d_5a ? { platform: 'win32', arch: 'any' } : undefined;
}

const HEAD_BYTES = 32;
const ELF: Readonly<Record<number, string>> = { 0x3e: 'x64', 0xb7: 'arm64', 0x28: 'arm' };
const MACH: Readonly<Record<number, string>> = { 0x01_00_00_07: 'x64', 0x01_00_00_0c: 'arm64' };

function headOf(path: BytePath): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  const file = openSync(toFsPath(path), 'r');
  try {
    readSync(file, head, 0, HEAD_BYTES, 0);
  } finally {
    closeSync(file);
  }
  return head;
}
