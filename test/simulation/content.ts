/**
 * What lies on a simulated machine: chunks, of which only the ids count. A day of work adds some, changes some and
 * drops some, and now and then an old one comes back, as when a file is restored from somewhere.
 */
import { hash } from 'node:crypto';
import { TAG_BYTES } from '../../src/crypto/sizes.ts';
import { sealFrameInto } from '../../src/crypto/frames.ts';
import { sealHeader } from '../../src/crypto/sealing.ts';
import { fromHex } from '../../src/base/bytes.ts';
import { encodeHeader } from '../../src/format/header.ts';
import type { IndexedPack } from '../../src/format/index-object.ts';
import type { ObjectId } from '../../src/format/names.ts';
import { isVouched } from '../../src/format/vouched-directory.ts';
import {
  CODECS,
  encodeDirectory,
  encodePaddedDirectory,
  encodeTrailer,
  TRAILER_FRAME,
  TRAILER_STORED_BYTES,
  visitDirectory,
  type DirectorySegment,
} from '../../src/format/pack.ts';
import type { WriterRepository } from '../../src/repository/open.ts';
import type { Dice } from './dice.ts';

const CHUNKS_ABOUT = 12;
const PAST_CHUNKS_MAX = 40;

/** What an install of a gateway does: databases that change in place, mostly where they changed before, and growth. */
export const INSTALL = { chunks: 120, rewritten: 4, appended: 1 } as const;
export type Shape = typeof INSTALL;

export class Content {
  readonly #dice: Dice;
  readonly #label: string;
  /** How often a day brings back an old chunk. */
  readonly #returns: number;
  #past: readonly string[] = [];
  #next = 0;
  /** The ids, in hex, of what makes up the install now. A chunk's content is its id. */
  chunks: readonly string[] = [];

  readonly #shape: Shape | undefined;
  /** Small files share segments, and who copies one copies the other; chunks of databases lie by themselves. */
  readonly perSegment: number;

  /** @param shape without one: few chunks, of which many change and old ones return */
  constructor(dice: Dice, label: string, shape?: Shape) {
    this.#shape = shape;
    this.perSegment = shape ? 1 : 2;
    this.#dice = dice;
    this.#label = label;
    this.#returns = dice.pick([0.1, 0.5, 0.9]);
    this.chunks = this.#fresh(shape?.chunks ?? dice.integer(4, 12));
  }

  aDayOfWork(): void {
    const dice = this.#dice;
    if (this.#shape) return this.#workOnInstall(this.#shape);
    if (dice.chance(0.25)) return;
    const kept = this.chunks.filter(() => !dice.chance(0.15));
    const dropped = this.chunks.filter((chunk) => !kept.includes(chunk));
    const returns = dice.chance(this.#returns) && this.#past.length > 0 ? dice.integer(1, 3) : 0;
    const back = Array.from({ length: returns }, () => dice.pick(this.#past));
    const fresh = this.#fresh(dice.integer(0, Math.max(1, CHUNKS_ABOUT - kept.length)));
    this.chunks = [...new Set([...kept, ...back, ...fresh])];
    this.#past = [...this.#past, ...dropped].slice(-PAST_CHUNKS_MAX);
  }

  #workOnInstall({ chunks, rewritten, appended }: Shape): void {
    const next = [...this.chunks];
    for (let left = rewritten; left > 0; left--) {
      const place = Math.floor(chunks * this.#dice.fraction() ** 3);
      next.splice(place, 1, ...this.#fresh(1));
    }
    this.chunks = [...next, ...this.#fresh(appended)];
  }

  /** Another machine's install is here now, in the place of what was. */
  land(chunks: readonly string[]): void {
    this.chunks = chunks;
    this.#past = [];
  }

  #fresh(count: number): string[] {
    return Array.from({ length: count }, () => hash('sha256', `${this.#label} ${this.#next++}`));
  }
}

export type PackHome = Pick<WriterRepository, 'id' | 'recipient'> & {
  readonly writer: Pick<WriterRepository['writer'], 'id'>;
};

export type SealedPack = { readonly pack: IndexedPack; readonly bytes: Uint8Array };

/** A real pack with these chunks in it, each as long as its id. No padding: nobody here looks at sizes. */
export function sealPack(
  repository: PackHome,
  object: ObjectId,
  chunks: readonly string[],
  perSegment: number,
): SealedPack {
  const writer = repository.writer.id;
  const place = { kind: 'pack', repository: fromHex(repository.id), writer, object } as const;
  const { header, objectKey } = sealHeader(repository.recipient, encodeHeader(place));
  const ids = chunks.map((chunk) => Buffer.from(chunk, 'hex'));
  const plaintext = Buffer.concat(ids);
  const segments = Array.from({ length: Math.ceil(ids.length / perSegment) }, (_, at) =>
    segmentOf(ids.slice(at * perSegment, (at + 1) * perSegment)),
  );
  const directory = encodeDirectory([{ storedLength: plaintext.length + TAG_BYTES, segments }]);
  const padded = encodePaddedDirectory(directory, directory.length + 4);
  const directoryOffset = header.length + plaintext.length + TAG_BYTES;
  const directoryStoredLength = padded.length + TAG_BYTES;
  const bytes = Buffer.alloc(directoryOffset + directoryStoredLength + TRAILER_STORED_BYTES);
  bytes.set(header);
  sealFrameInto(objectKey, 0, false, plaintext, bytes, header.length);
  sealFrameInto(objectKey, 1, false, padded, bytes, directoryOffset);
  const trailer = encodeTrailer({ frames: 1, directoryOffset, directoryStoredLength });
  const trailerAt = directoryOffset + directoryStoredLength;
  sealFrameInto(objectKey, TRAILER_FRAME, true, trailer, bytes, trailerAt);
  return { pack: { writer, pack: object, size: bytes.length, directory }, bytes };
}

function segmentOf(ids: readonly Buffer[]): DirectorySegment {
  const length = ids.reduce((sum, id) => sum + id.length, 0);
  const chunks = ids.map((id) => ({ id, length: id.length }));
  return { codec: CODECS.stored, storedLength: length, rawLength: length, chunks };
}

/** The ids in hex of the chunks in a pack that somebody vouches for. */
export function chunksIn(pack: IndexedPack): readonly string[] {
  const known = visited.get(pack.directory);
  if (known) return known;
  const ids: string[] = [];
  visitDirectory(pack.directory, 0, pack.pack, {
    chunk: (id) => {
      if (isVouched(id)) ids.push(id.toString('hex'));
    },
  });
  visited.set(pack.directory, ids);
  return ids;
}

const visited = new WeakMap<Uint8Array, readonly string[]>();
