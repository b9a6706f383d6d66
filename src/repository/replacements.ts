/**
 * What repack records say that snapshots need in place of the packs that their lists name. A record counts for the
 * snapshots that it names and no others, and only while every pack that it leads to is there as it was stored and is
 * not announced to be deleted: else the old pack is needed, and whatever may stand in for it too.
 */
import type { Emit } from '../base/events.ts';
import { writerObjectName, type ObjectId, type WriterId } from '../format/names.ts';
import type { ListedPack } from '../format/pack-list.ts';
import type { RepackRecord } from '../format/repack-record.ts';
import type { ReaderRepository } from './open.ts';
import { packName } from './pack-reader.ts';
import { readRepackRecords } from './repack-records.ts';

/** What the store shows: whether a pack is there with its recorded size, and not announced to be deleted. */
export type Standing = {
  isThere(pack: ListedPack): boolean;
  isAnnounced(name: string): boolean;
};

export class Replacements {
  readonly #standing: Standing;
  readonly #moves = new Map<ObjectId, Move[]>();

  constructor(records: readonly RepackRecord[], standing: Standing) {
    this.#standing = standing;
    for (const record of records) {
      const { writer } = record;
      const snapshots = new Set(record.snapshots);
      for (const { pack, into } of record.emptied) {
        const moves = this.#moves.get(pack) ?? [];
        moves.push({ writer, snapshots, into: into.flatMap((at) => newPackOf(record, at)) });
        this.#moves.set(pack, moves);
      }
    }
  }

  /** Names of the packs that records are about. */
  emptied(): string[] {
    const names = [...this.#moves].flatMap(([pack, moves]) =>
      moves.map(({ writer }) => writerObjectName('packs', writer, pack)),
    );
    return [...new Set(names)];
  }

  isEmptied({ writer, pack }: ListedPack): boolean {
    return this.#moves.get(pack)?.some((move) => move.writer === writer) ?? false;
  }

  /** Packs that hold all that a snapshot needs of `pack`; undefined: only the pack itself is sure to. */
  of(digest: string, pack: ListedPack): readonly ListedPack[] | undefined {
    return this.#replaced(digest, pack, new Set());
  }

  /** What these snapshots need by their list: nothing that one of them may need is left out. */
  neededOf(digests: readonly string[], listed: readonly ListedPack[]): readonly ListedPack[] {
    return this.#each(
      digests,
      listed,
      (digest, pack) => this.of(digest, pack) ?? this.anyOf(digest, pack),
    );
  }

  /** As few as hold all that these snapshots need; with what is lost, where no record helps. */
  leanOf(digests: readonly string[], listed: readonly ListedPack[]): readonly ListedPack[] {
    const orLost = (digest: string, pack: ListedPack): readonly ListedPack[] =>
      this.#standing.isThere(pack) ? [pack] : this.anyOf(digest, pack);
    return this.#each(
      digests,
      listed,
      (digest, pack) => this.of(digest, pack) ?? orLost(digest, pack),
    );
  }

  /** Where to read: everything that is there of what holds the same, so that one damaged pack costs nothing. */
  readableOf(digest: string, listed: readonly ListedPack[]): readonly ListedPack[] {
    return this.#each([digest], listed, (_, pack) => {
      const there = this.anyOf(digest, pack).filter((one) => this.#standing.isThere(one));
      return there.length > 0 || this.of(digest, pack) ? there : [pack];
    });
  }

  /** The pack itself and everything that any record leads to from it, for this snapshot. */
  anyOf(digest: string, pack: ListedPack): ListedPack[] {
    const found = new Map([[packName(pack), pack]]);
    for (const one of found.values()) {
      for (const next of this.#movesOf(digest, one).flat()) found.set(packName(next), next);
    }
    return [...found.values()];
  }

  #each(
    digests: readonly string[],
    listed: readonly ListedPack[],
    instead: (digest: string, pack: ListedPack) => readonly ListedPack[],
  ): readonly ListedPack[] {
    const [emptied, others] = [
      listed.filter((pack) => this.isEmptied(pack)),
      listed.filter((pack) => !this.isEmptied(pack)),
    ];
    if (emptied.length === 0) return listed;
    const moved = digests.flatMap((digest) => emptied.flatMap((pack) => instead(digest, pack)));
    return distinct([...others, ...moved]);
  }

  /** @param passed packs on the way here: a circle leads nowhere */
  #replaced(
    digest: string,
    pack: ListedPack,
    passed: ReadonlySet<string>,
  ): readonly ListedPack[] | undefined {
    const moves = this.#movesOf(digest, pack);
    if (moves.length === 0 || passed.has(packName(pack))) return undefined;
    const way = new Set(passed).add(packName(pack));
    for (const into of moves) {
      const ends = into.map((next) => this.#replaced(digest, next, way) ?? this.#itself(next));
      if (ends.every((end) => end !== undefined)) return distinct(ends.flat());
    }
    return undefined;
  }

  #itself(pack: ListedPack): readonly ListedPack[] | undefined {
    const isSure = this.#standing.isThere(pack) && !this.#standing.isAnnounced(packName(pack));
    return isSure ? [pack] : undefined;
  }

  /** Where each record leads to that counts for this snapshot. */
  #movesOf(digest: string, { writer, pack }: ListedPack): (readonly ListedPack[])[] {
    const moves = this.#moves.get(pack) ?? [];
    return moves
      .filter((move) => move.writer === writer && move.snapshots.has(digest))
      .map(({ into }) => into);
  }
}

type Move = {
  readonly writer: WriterId;
  readonly snapshots: ReadonlySet<string>;
  readonly into: readonly ListedPack[];
};

function newPackOf({ writer, packs }: RepackRecord, position: number): ListedPack[] {
  const found = packs[position];
  return found ? [{ writer, ...found }] : [];
}

const distinct = (packs: readonly ListedPack[]): ListedPack[] => [
  ...new Map(packs.map((pack) => [packName(pack), pack])).values(),
];

/** For who reads what these packs hold, wherever it lies now. */
export async function readReplacements(
  repository: ReaderRepository,
  listed: readonly ListedPack[],
  emit: Emit,
  signal: AbortSignal,
): Promise<Replacements> {
  const { records } = await readRepackRecords(repository, emit, signal);
  return replacementsNow(repository, records, listed, signal);
}

/** By records that were read already; and by a listing, where they speak of any of these packs. */
export async function replacementsNow(
  repository: ReaderRepository,
  records: readonly RepackRecord[],
  listed: readonly ListedPack[],
  signal: AbortSignal,
): Promise<Replacements> {
  const about = new Replacements(records, standingOf(new Map(), new Set()));
  const moved = listed.filter((pack) => about.isEmptied(pack));
  const sizes = new Map<string, number>();
  for (const writer of new Set(moved.map((pack) => pack.writer))) {
    const listing = repository.store.list(`packs/${writer}/`, signal);
    for await (const { name, size } of listing) sizes.set(name, size);
  }
  return new Replacements(records, standingOf(sizes, new Set()));
}

/** Sizes by name, as a listing shows them, and what tombstones name. */
export const standingOf = (
  sizes: ReadonlyMap<string, number>,
  announced: ReadonlySet<string>,
): Standing => ({
  isThere: (pack) => sizes.get(packName(pack)) === pack.size,
  isAnnounced: (name) => announced.has(name),
});
