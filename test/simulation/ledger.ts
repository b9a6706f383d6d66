/**
 * What a simulated world must keep true, looked at whenever an object appears or goes: everything that a snapshot needs
 * whose push reached C4 is there, as it was sent, until a forget record explains that the snapshot is gone.
 */
import { fromHex } from '../../src/base/bytes.ts';
import {
  parseWriterObjectName,
  writerObjectName,
  type ObjectId,
  type WriterId,
} from '../../src/format/names.ts';
import { decodePackList } from '../../src/format/pack-list.ts';
import { openBoxed } from '../../src/repository/boxed.ts';
import type { Writer } from '../../src/repository/machine.ts';
import { authorSelf } from '../../src/repository/open.ts';
import { openCover, type OpenedCover } from '../../src/repository/snapshots.ts';
import type { Bucket } from './bucket.ts';
import { DAY_MS, type Process, type World } from './world.ts';

/** A snapshot that was stored (C3), with what only its machine knows of it. */
export type KnownSnapshot = {
  readonly opened: OpenedCover;
  /** Ids in hex of every chunk that it consists of. */
  readonly chunks: readonly string[];
  /** Its pack list and packs. */
  readonly needs: readonly string[];
  readonly storedMs: number;
  /** When its push reached C4. */
  committedMs: number | undefined;
  forgottenMs: number | undefined;
};

const LISTING_LAG_MAX_MS = DAY_MS;

/** Who may say that a snapshot was forgotten; answers what is wrong with its going. */
export type Explain = (snapshot: KnownSnapshot, by: Process) => string | undefined;

export class Ledger {
  readonly #world: World;
  readonly #bucket: () => Bucket;
  readonly #explain: Explain;
  readonly #repository: string;
  readonly #sent = new Map<string, Uint8Array>();
  readonly #revoked = new Map<WriterId, ReadonlySet<string>>();
  readonly #condemned = new Set<string>();
  readonly #chunks = new Map<string, readonly string[]>();
  /** By the names of what they need. */
  readonly #dependents = new Map<string, Set<KnownSnapshot>>();
  readonly snapshots = new Map<string, KnownSnapshot>();

  constructor(world: World, repository: string, bucket: () => Bucket, explain: Explain) {
    this.#world = world;
    this.#repository = repository;
    this.#bucket = bucket;
    this.#explain = explain;
  }

  sealed(pack: string, chunks: readonly string[]): void {
    this.#chunks.set(pack, chunks);
  }

  sent(name: string, bytes: Uint8Array): void {
    this.#sent.set(name, bytes);
  }

  /** C3: `writer` stored this snapshot of these chunks. */
  stored(name: string, bytes: Uint8Array, writer: Writer, chunks: readonly string[]): void {
    if (this.snapshots.has(name)) return;
    const opened = openCover(bytes, name, this.#repository, authorSelf(writer));
    const { sequence } = opened.cover;
    const twin = this.ofWriter(writer.id).find((one) => one.opened.cover.sequence === sequence);
    if (twin) this.#world.fail(`${name} and ${twin.opened.name} have the number ${sequence}`);
    const list = writerObjectName('lists', writer.id, opened.cover.packList as ObjectId);
    const needs = [list, ...this.#packsIn(list, writer)];
    const times = { storedMs: this.#world.nowMs, committedMs: undefined, forgottenMs: undefined };
    this.snapshots.set(name, { opened, chunks, needs, ...times });
    this.#sent.set(name, bytes);
  }

  /** C4: from here on it must restore. */
  committed(name: string): void {
    const snapshot = this.snapshots.get(name);
    if (!snapshot || snapshot.committedMs !== undefined || !this.#counts(snapshot)) return;
    snapshot.committedMs = this.#world.nowMs;
    const problems = this.problemsOf(snapshot);
    if (problems.length > 0) {
      this.#world.fail(`${name} reached C4 and is not whole: ${problems.join('; ')}`);
    }
    for (const need of snapshot.needs) {
      const dependents = this.#dependents.get(need) ?? new Set();
      this.#dependents.set(need, dependents.add(snapshot));
    }
  }

  /**
   * A tombstone names nothing that is younger than the grace period, nor what a snapshot needs that lay there, by any
   * listing, when the run began.
   */
  condemned(tombstone: string, names: readonly string[], graceMs: number, by: Process): void {
    const { nowMs } = this.#world;
    for (const name of names) {
      // What lies there again, by a request that was under way for weeks, is condemned already.
      if (this.#condemned.has(name)) continue;
      this.#condemned.add(name);
      const stored = this.#bucket().look(name);
      if (stored && nowMs - stored.createdMs < graceMs) {
        this.#world.fail(`${tombstone} names ${name}, which is younger than the grace period`);
      }
      for (const snapshot of this.#dependents.get(name) ?? []) {
        if (snapshot.storedMs + LISTING_LAG_MAX_MS > by.startedMs) continue;
        this.#world.fail(`${tombstone} names ${name}, and ${snapshot.opened.name} needs it`);
      }
    }
  }

  deleted(name: string, by: Process): void {
    const snapshot = this.snapshots.get(name);
    if (snapshot) this.#forgotten(snapshot, by);
    const [dependent] = this.#dependents.get(name) ?? [];
    if (dependent) {
      this.#world.fail(`${name} was deleted, and ${dependent.opened.name} needs it`);
    }
  }

  /** From here on only these of a machine's snapshots count. */
  revoked(writer: WriterId, digests: ReadonlySet<string>): void {
    this.#revoked.set(writer, digests);
    for (const dependents of this.#dependents.values()) {
      for (const one of dependents) if (!this.#counts(one)) dependents.delete(one);
    }
  }

  #counts({ opened }: KnownSnapshot): boolean {
    return this.#revoked.get(opened.writer)?.has(opened.digest) ?? true;
  }

  /** What is wrong with a snapshot, in the store as it is. */
  problemsOf({ opened, needs, chunks }: KnownSnapshot): string[] {
    const problems = [opened.name, ...needs].flatMap((name) => {
      const stored = this.#bucket().look(name);
      const sent = this.#sent.get(name);
      if (!stored) return [`${name} is missing`];
      return sent && Buffer.compare(stored.bytes, sent) === 0 ? [] : [`${name} is damaged`];
    });
    const there = new Set(needs.flatMap((name) => this.#chunks.get(name) ?? []));
    const missing = chunks.filter((chunk) => !there.has(chunk));
    return missing.length > 0 ? [...problems, `${missing.length} chunks are nowhere`] : problems;
  }

  /** Chunks in stored packs: needed by a snapshot; dead, beside one that is needed; in packs that nobody needs. */
  space(): { readonly live: number; readonly dead: number; readonly unneeded: number } {
    const living = [...this.snapshots.values()].filter((one) => one.forgottenMs === undefined);
    const needs = new Set(living.flatMap((one) => one.needs));
    const chunks = new Set(living.flatMap((one) => one.chunks));
    const sums = { live: 0, dead: 0, unneeded: 0 };
    for (const { name } of this.#bucket().all('packs/')) {
      for (const chunk of this.#chunks.get(name) ?? []) {
        if (!needs.has(name)) sums.unneeded += 1;
        else if (chunks.has(chunk)) sums.live += 1;
        else sums.dead += 1;
      }
    }
    return sums;
  }

  /** Living ones of a machine that count, oldest first. */
  ofWriter(writer: WriterId): KnownSnapshot[] {
    return [...this.snapshots.values()]
      .filter(
        (one) => one.opened.writer === writer && one.forgottenMs === undefined && this.#counts(one),
      )
      .toSorted((a, b) => a.opened.cover.sequence - b.opened.cover.sequence);
  }

  #forgotten(snapshot: KnownSnapshot, by: Process): void {
    snapshot.forgottenMs = this.#world.nowMs;
    for (const need of snapshot.needs) this.#dependents.get(need)?.delete(snapshot);
    const why = this.#counts(snapshot) ? this.#explain(snapshot, by) : undefined;
    if (why !== undefined) this.#world.fail(`${snapshot.opened.name} was forgotten: ${why}`);
  }

  /** As it was sent: the store may have lost it since. */
  #packsIn(list: string, writer: Writer): string[] {
    const bytes = this.#sent.get(list);
    const parsed = parseWriterObjectName(list);
    if (!bytes || !parsed) return [];
    const header = {
      kind: 'pack list',
      repository: fromHex(this.#repository),
      writer: writer.id,
      object: parsed.id,
    } as const;
    const plaintext = openBoxed(writer.subkeys.packList, header, bytes, list);
    return decodePackList(plaintext, list).map((pack) =>
      writerObjectName('packs', pack.writer, pack.pack),
    );
  }
}
