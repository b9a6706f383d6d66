/**
 * The members of an archive into a private folder, with the safety of a pull: no name leads out, nothing is written
 * through a link, no devices, no setuid, and no more bytes than there is room for.
 */
import { dirNameBytes, joinBytes, showPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { view } from '../base/bytes.ts';
import { FerryError, throwIfAborted } from '../base/errors.ts';
import { createPlacer, type PlaceAttributes, type Placer } from '../fs/place.ts';
import type { SystemTools } from '../fs/system-tools.ts';
import { setTimes, type TimeRecord } from '../fs/times.ts';
import type { TarMember, TarOmission } from './read-tar.ts';

export type ExtractRequest = {
  /** For messages. */
  readonly what: string;
  /** Absolute; made with mode 0700. */
  readonly stage: BytePath;
  /** Where a path of the archive goes below the stage ('' is the stage); undefined: nowhere. */
  readonly place: (path: BytePath) => BytePath | undefined;
  /** Of all files together. */
  readonly bytesMax: number;
};

export type Extracted = {
  readonly files: number;
  readonly bytes: number;
  readonly omissions: readonly TarOmission[];
};

/** Extracting another archive over it later is allowed: its files replace those of the same name. */
export async function extractTar(
  members: AsyncIterable<TarMember>,
  request: ExtractRequest,
  tools: SystemTools,
): Promise<Extracted> {
  const placer = createPlacer({ stage: request.stage, setIdAllowed: false });
  const extraction = new Extraction(request, placer, tools);
  try {
    for await (const member of members) {
      throwIfAborted(tools.signal);
      const path = request.place(member.entry.path);
      if (path !== undefined) await extraction.add(member, path);
    }
    await extraction.finish();
    return extraction;
  } finally {
    placer.close();
  }
}

/** Written in one call; larger ones piece by piece. */
const WHOLE_FILE_BYTES_MAX = 1024 * 1024;
const TIMES_WAITING_MAX = 20_000;

class Extraction implements Extracted {
  readonly #request: ExtractRequest;
  readonly #placer: Placer;
  readonly #tools: SystemTools;
  readonly #directories = new Map<BytePath, { mode: number; mtimeNs: bigint }>();
  #times: TimeRecord[] = [];
  readonly omissions: TarOmission[] = [];
  files = 0;
  bytes = 0;

  constructor(request: ExtractRequest, placer: Placer, tools: SystemTools) {
    this.#request = request;
    this.#placer = placer;
    this.#tools = tools;
  }

  async add(member: TarMember, path: BytePath): Promise<void> {
    const { entry } = member;
    if (path === '' && entry.type !== 'dir') throw this.#refuse(entry.path, 'it has no name');
    switch (entry.type) {
      case 'dir':
        this.#placer.placeDirectory(path);
        this.#directories.set(path, { mode: entry.mode, mtimeNs: entry.mtimeNs });
        return;
      case 'symlink':
        this.#placer.placeSymlink(path, entry.target, undefined);
        return this.#addTime(path, entry.mtimeNs);
      case 'hardlink':
        return this.#addHardLink(path, entry.path, entry.target);
      case 'file':
        if (await this.#addFile(member, path, entry.size, { mode: entry.mode })) {
          return this.#addTime(path, entry.mtimeNs);
        }
    }
  }

  /** Times before modes: a directory may forbid its owner to look inside. */
  async finish(): Promise<void> {
    const deepestFirst = [...this.#directories].toSorted(([a], [b]) => b.length - a.length);
    for (const [path, { mtimeNs }] of deepestFirst) await this.#addTime(path, mtimeNs);
    await this.#flushTimes();
    for (const [path, { mode }] of deepestFirst) this.#placer.finishDirectory(path, { mode });
  }

  #addHardLink(path: BytePath, from: BytePath, target: BytePath): void {
    const existing = this.#request.place(target);
    if (existing === undefined || existing === '') {
      throw this.#refuse(from, `a hard link to ${showPath(target)}, which is not extracted`);
    }
    try {
      if (existing !== path) this.#placer.placeHardLink(path, existing);
    } catch (error) {
      const isMissing = error instanceof FerryError && error.details['code'] === 'ENOENT';
      if (!isMissing) throw error;
      const message = `${this.#request.what}: ${showPath(from)} is a hard link to ${showPath(target)}`;
      throw new FerryError('object-damaged', `${message}, which is not in the archive before it`, {
        cause: error,
      });
    }
  }

  /** False when it is nothing to keep. */
  async #addFile(
    member: TarMember,
    path: BytePath,
    size: number,
    attributes: PlaceAttributes,
  ): Promise<boolean> {
    if (size > this.#request.bytesMax - this.bytes) throw this.#tooLarge(member.entry.path, size);
    const whole = size <= WHOLE_FILE_BYTES_MAX ? Buffer.alloc(size) : undefined;
    let isFirst = true;
    for await (const { position, bytes } of member.content()) {
      throwIfAborted(this.#tools.signal);
      if (isFirst && isAppleDouble(path, bytes)) {
        this.omissions.push({ path: showPath(member.entry.path), reason: APPLE_DOUBLE });
        return false;
      }
      if (whole) view(bytes).copy(whole, position);
      else {
        if (isFirst) this.#placer.beginFile(path);
        this.#placer.writeChunk(path, position, bytes, member.sparse);
      }
      isFirst = false;
    }
    if (whole) this.#placer.placeFile(path, whole, attributes);
    else {
      if (isFirst) this.#placer.beginFile(path);
      this.#placer.finishFile(path, size, attributes);
    }
    this.files += 1;
    this.bytes += size;
    return true;
  }

  async #addTime(path: BytePath, mtimeNs: bigint): Promise<void> {
    this.#times.push({ path: joinBytes(this.#request.stage, path), mtimeNs });
    if (this.#times.length >= TIMES_WAITING_MAX) await this.#flushTimes();
  }

  /** A time that cannot be set is no reason to leave the file out. */
  async #flushTimes(): Promise<void> {
    const times = this.#times;
    this.#times = [];
    if (times.length > 0) await setTimes(times, this.#tools);
  }

  #refuse(path: BytePath, why: string): FerryError {
    const message = `${this.#request.what} is refused: ${showPath(path)}: ${why}`;
    return new FerryError('target-unsafe', message);
  }

  #tooLarge(path: BytePath, size: number): FerryError {
    const folder = showPath(dirNameBytes(this.#request.stage));
    const message = `${this.#request.what} unpacks to more than there is room for in ${folder}`;
    return new FerryError('no-space', `${message}: ${showPath(path)} alone says ${size} bytes`, {
      hint: 'If the archive is smaller than that, it is damaged or not what it seems.',
      details: { folder, size },
    });
  }
}

const APPLE_DOUBLE = 'attributes of macOS that tar packs as a file of their own';
const APPLE_DOUBLE_MAGIC = Buffer.from('00051607', 'hex');

function isAppleDouble(path: BytePath, start: Uint8Array): boolean {
  const isNamed = path.startsWith('._') || path.includes('/._', dirNameBytes(path).length);
  return isNamed && view(start).subarray(0, 4).equals(APPLE_DOUBLE_MAGIC);
}
