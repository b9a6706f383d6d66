/** A first look through an archive: is it whole and harmless, and what is it of? Nothing is unpacked. */
import { asBytePath, bytePathFromText, type BytePath } from '../base/byte-path.ts';
import { readArchive } from '../fs/archive-file.ts';
import type { Brand } from '../gateway/install/brands.ts';
import { readTar, type TarMember, type TarOmission } from '../tar/read-tar.ts';
import { parseExportedRoot, type ExportedRoot } from './exported-root.ts';

export type Survey = {
  /** As it was given. */
  readonly archive: string;
  readonly bytes: number;
  /** Folders of the upper levels, '' included, also those that have no member of their own. */
  readonly folders: ReadonlySet<BytePath>;
  /** What lies at the top. */
  readonly names: ReadonlySet<BytePath>;
  /** Files that are called like the brand's config, or an ancestor's. */
  readonly configs: readonly BytePath[];
  /** What an export of ours says of its roots. */
  readonly exported: readonly ExportedRoot[];
};

/** @throws object-damaged, target-unsafe, file-unreadable */
export async function surveyArchive(
  archive: string,
  brand: Brand,
  signal: AbortSignal,
): Promise<Survey> {
  const configNames = new Set<string>([brand.configName, ...brand.legacyConfigNames]);
  const folders = new Set<BytePath>([asBytePath('')]);
  const names = new Set<BytePath>();
  const configs = new Set<BytePath>();
  const exported: ExportedRoot[] = [];
  let bytes = 0;
  for await (const { entry, comment } of membersOf(archive, () => undefined, signal)) {
    const parts = entry.path.split('/');
    if (parts[0]) names.add(asBytePath(parts[0]));
    if (entry.type === 'file') {
      bytes += entry.size;
      const name = parts.at(-1) ?? '';
      const isUpper = parts.length <= LEVELS_MAX + 1;
      if (isUpper && configNames.has(name)) configs.add(entry.path);
    }
    addFolders(folders, entry.type === 'dir' ? parts : parts.slice(0, -1));
    const root = comment === undefined ? undefined : parseExportedRoot(comment);
    if (root && entry.path === root.name) exported.push(root);
  }
  return { archive, bytes, folders, names, configs: [...configs], exported };
}

export function membersOf(
  archive: string,
  onOmission: (omission: TarOmission) => void,
  signal: AbortSignal,
): AsyncGenerator<TarMember, void> {
  const content = readArchive(bytePathFromText(archive));
  return readTar({ what: archive, content }, onOmission, signal);
}

/** Deep enough for `payload/posix/home/alice/some/where/.brand`; what lies below belongs to what lies above. */
const LEVELS_MAX = 16;
const FOLDERS_MAX = 100_000;

function addFolders(folders: Set<BytePath>, parts: readonly string[]): void {
  for (let level = Math.min(parts.length, LEVELS_MAX); level > 0; level--) {
    const folder = asBytePath(parts.slice(0, level).join('/'));
    if (folders.has(folder) || folders.size >= FOLDERS_MAX) return;
    folders.add(folder);
  }
}
