/**
 * The old machine's disk, as far as the archives show it: a private folder in which everything lies at its old absolute
 * path. Archives are unpacked in the order given, as they would be by hand, so a later one wins.
 */
import {
  asBytePath,
  baseNameBytes,
  bytePathFromText,
  dirNameBytes,
  joinBytes,
  showPath,
  toFsPath,
} from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import { diskSpace } from '../fs/disk-space.ts';
import {
  makePrivateFolder,
  moveFolder,
  realEntry,
  removeFolder,
  removeLink,
} from '../fs/private-folder.ts';
import type { RealEntry } from '../fs/private-folder.ts';
import type { SystemTools } from '../fs/system-tools.ts';
import { readFileIfAny, type ReadFile } from '../gateway/disk/read.ts';
import { extractTar } from '../tar/extract-tar.ts';
import type { TarOmission } from '../tar/read-tar.ts';
import { oldPathOf, type Mount } from './mounts.ts';
import { membersOf, type Survey } from './survey.ts';

export class OldDisk {
  readonly #folder: BytePath;
  readonly #tools: SystemTools;
  readonly omissions: TarOmission[] = [];

  constructor(scratch: string, tools: SystemTools) {
    this.#folder = makePrivateFolder(scratch, 'import-');
    this.#tools = tools;
  }

  /** @throws no-space before anything is unpacked */
  checkRoom(surveys: readonly Survey[]): void {
    const bytes = surveys.reduce((sum, survey) => sum + survey.bytes, 0);
    const { freeBytes } = diskSpace(this.#folder);
    if (bytes <= freeBytes) return;
    throw new FerryError(
      'no-space',
      `the archives unpack to ${bytes} bytes; ${freeBytes} are free`,
      {
        hint: 'Point TMPDIR to a larger disk.',
        details: { bytes, freeBytes },
      },
    );
  }

  /** To where its folders were. */
  async unpack(survey: Survey, mounts: readonly Mount[]): Promise<void> {
    this.#makeWay(survey, mounts);
    await this.#extract(survey, this.#disk, (path) => {
      const old = oldPathOf(mounts, path);
      return old === undefined ? undefined : asBytePath(old.slice(1));
    });
  }

  /** An archive whose place is not known yet, for `readAside` and `putInPlace`. */
  async unpackAside(survey: Survey): Promise<void> {
    await this.#extract(survey, this.#aside, (path) => path);
  }

  readonly readAside: ReadFile = (path) => readBelow(this.#aside, path);

  /** The folder that was unpacked aside, or one in it, goes to where it was. */
  putInPlace({ from, to }: Mount): void {
    const target = to === '' ? this.#disk : asBytePath(this.#disk + to);
    moveFolder(joinBytes(this.#aside, from), target);
  }

  /** By absolute old path; undefined where the archives have nothing, or a link leads. */
  find(path: string): RealEntry | undefined {
    return realEntry(this.#disk, bytePathFromText(path.slice(1)));
  }

  readonly read: ReadFile = (path) => readBelow(this.#disk, path);

  remove(): void {
    removeFolder(this.#folder);
  }

  get #disk(): BytePath {
    return joinBytes(this.#folder, asBytePath('disk'));
  }

  get #aside(): BytePath {
    return joinBytes(this.#folder, asBytePath('aside'));
  }

  /** A workspace that is a link in the state dir's archive may come as a folder in its own. */
  #makeWay(survey: Survey, mounts: readonly Mount[]): void {
    for (const folder of [...survey.folders].toSorted()) {
      const old = oldPathOf(mounts, folder);
      const parent = old === undefined ? undefined : this.find(textOf(dirNameBytes(old)));
      if (old === undefined || parent === undefined) continue;
      if (removeLink(joinBytes(parent.at, baseNameBytes(old)))) {
        const path = showPath(old);
        this.omissions.push({ path, reason: `a link; ${survey.archive} has the folder itself` });
      }
    }
  }

  async #extract(
    survey: Survey,
    stage: BytePath,
    place: (path: BytePath) => BytePath | undefined,
  ): Promise<void> {
    const omit = (omission: TarOmission): void => void this.omissions.push(omission);
    const extracted = await extractTar(
      membersOf(survey.archive, omit, this.#tools.signal),
      { what: survey.archive, stage, place, bytesMax: diskSpace(this.#folder).freeBytes },
      this.#tools,
    );
    this.omissions.push(...extracted.omissions);
  }
}

const textOf = (path: BytePath): string => Buffer.from(path, 'latin1').toString('utf8');

function readBelow(folder: BytePath, path: string | Buffer): Buffer | undefined {
  const bytes =
    typeof path === 'string' ? bytePathFromText(path) : asBytePath(path.toString('latin1'));
  const entry = realEntry(folder, asBytePath(bytes.slice(1)));
  return entry?.kind === 'file' ? readFileIfAny(toFsPath(entry.at)) : undefined;
}
