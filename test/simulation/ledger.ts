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
import type { RepackRecord } from '../../src/format/repack-record.ts';
import { decodePackList } from '../../src/format/pack-list.ts';
import { openBoxed } from '../../src/repository/boxed.ts';
import type { Writer } from '../../src/repository/machine.ts';
import { authorSelf } from '../../src/repository/open.ts';
import { openCover, type OpenedCover } from '../../src/repository/snapshots.ts';
import type { Bucket } from './bucket.ts';
import { LISTING_LAG_MAX_MS, Wounds } from './wounds.ts';
import type { Process, World } from './world.ts';

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

/** A snapshot and one of the things that it needs. */
export type Need = { readonly snapshot: KnownSnapshot; readonly name: string };

type Cover = { readonly snapshots: ReadonlySet<string>; readonly names: readonly string[] };

/** Who may say that a snapshot was forgotten; answers what is wrong with its going. */
export type Explain = (snapshot: KnownSnapshot, by: Process) => string | undefined;

export class Ledger {
  readonly #world: World;
  readonly #bucket: () => Bucket;
  readonly #explain: Explain;
  readonly #repository: string;
  readonly #sent = new Map<string, Uint8Array>();
  readonly #revoked = new Map<WriterId, ReadonlySet<string>>();
  /** With the time of the first tombstone that names it. */
  readonly #condemned = new Map<string, number>();
  readonly #chunks = new Map<string, readonly string[]>();
  /** By the names of what they need. */
  readonly #dependents = new Map<string, Set<KnownSnapshot>>();
  /** What repack records say: for these snapshots, these packs stand in for the one that is the key. */
  readonly #covers = new Map<string, readonly Cover[]>();
  readonly #snapshots = new Map<string, KnownSnapshot>();
  /** Those that were not forgotten, by writer. */
  readonly #living = new Map<WriterId, Set<KnownSnapshot>>();
  readonly wounds: Wounds;

  constructor(world: World, repository: string, bucket: () => Bucket, explain: Explain) {
    this.#world = world;
    this.#repository = repository;
    this.#bucket = bucket;
    this.#explain = explain;
    this.wounds = new Wounds(world);
  }

  sealed(pack: string, chunks: readonly string[]): void {
    this.#chunks.set(pack, chunks);
  }

  chunksOf(pack: string): readonly string[] {
    return this.#chunks.get(pack) ?? [];
  }

  /** Who needs one of these packs needs the new ones too, in its place. */
  repacked({ writer, snapshots, packs, emptied }: RepackRecord): void {
    const nameOf = (pack: ObjectId): string => writerObjectName('packs', writer, pack);
    for (const { pack, into } of emptied) {
      const names = into.flatMap((at) => packs.slice(at, at + 1).map((one) => nameOf(one.pack)));
      const name = nameOf(pack);
      this.#checkCover(name, names, snapshots);
      const covers = this.#covers.get(name) ?? [];
      this.#covers.set(name, [...covers, { snapshots: new Set(snapshots), names }]);
      for (const one of this.#dependents.get(name) ?? []) this.#depend(one);
      this.#world.count('packs emptied');
    }
  }

  /** Of each of these snapshots every chunk that was in the old pack must be in the new ones. */
  #checkCover(pack: string, names: readonly string[], digests: readonly string[]): void {
    const moved = new Set(names.flatMap((name) => this.chunksOf(name)));
    const lost = new Set(this.chunksOf(pack).filter((chunk) => !moved.has(chunk)));
    for (const { opened, chunks } of this.#snapshots.values()) {
      if (!digests.includes(opened.digest) || !chunks.some((chunk) => lost.has(chunk))) continue;
      this.#world.fail(`a record moves ${pack}, and not all that ${opened.name} needs of it`);
    }
  }

  /** Whether what a snapshot needs lies there, in the object itself or in what stands in for it. */
  #isServed(snapshot: KnownSnapshot, name: string, isGood: (name: string) => boolean): boolean {
    if (isGood(name)) return true;
    const covers = this.#covers.get(name) ?? [];
    return covers.some(
      ({ snapshots, names }) =>
        snapshots.has(snapshot.opened.digest) &&
        names.every((next) => this.#isServed(snapshot, next, isGood)),
    );
  }

  /** Whether everything that `name` might be needed for is served without it. */
  #isServedBut(name: string, snapshot: KnownSnapshot, isGood: (name: string) => boolean): boolean {
    return snapshot.needs
      .filter((need) => this.#leadsTo(snapshot, need, name))
      .every((need) => this.#isServed(snapshot, need, (one) => one !== name && isGood(one)));
  }

  #leadsTo(snapshot: KnownSnapshot, from: string, to: string): boolean {
    if (from === to) return true;
    const covers = this.#covers.get(from) ?? [];
    return covers.some(
      ({ snapshots, names }) =>
        snapshots.has(snapshot.opened.digest) &&
        names.some((next) => this.#leadsTo(snapshot, next, to)),
    );
  }

  /** A pack or a pack list was acknowledged. */
  sent(name: string, bytes: Uint8Array): void {
    this.#sent.set(name, bytes);
    if (this.#isAsSent(name)) this.wounds.mend(name);
    else this.wounds.inflict(name, 'spoilt');
  }

  /** C3: `writer` stored this snapshot of these chunks. */
  stored(name: string, bytes: Uint8Array, writer: Writer, chunks: readonly string[]): void {
    if (this.#snapshots.has(name)) return;
    const opened = openCover(bytes, name, this.#repository, authorSelf(writer));
    const { sequence } = opened.cover;
    const twin = this.ofWriter(writer.id).find((one) => one.opened.cover.sequence === sequence);
    if (twin) this.#world.fail(`${name} and ${twin.opened.name} have the number ${sequence}`);
    const list = writerObjectName('lists', writer.id, opened.cover.packList as ObjectId);
    const needs = [list, ...this.#packsIn(list, writer)];
    const times = { storedMs: this.#world.nowMs, committedMs: undefined, forgottenMs: undefined };
    const snapshot = { opened, chunks, needs, ...times };
    this.#snapshots.set(name, snapshot);
    const living = this.#living.get(writer.id) ?? new Set();
    this.#living.set(writer.id, living.add(snapshot));
    this.#sent.set(name, bytes);
  }

  /** C4: from here on it must restore. @param readMs when its machine read what it has of others */
  committed(name: string, by: Process, readMs: number): void {
    const snapshot = this.#snapshots.get(name);
    if (!snapshot || snapshot.committedMs !== undefined || !this.#counts(snapshot)) return;
    snapshot.committedMs = this.#world.nowMs;
    const problems = this.#problemsOf(snapshot, by, readMs);
    if (problems.length > 0) {
      this.#world.fail(`${name} reached C4 and is not whole: ${problems.join('; ')}`);
    }
    this.#depend(snapshot);
  }

  #depend(snapshot: KnownSnapshot): void {
    for (const name of this.#reached(snapshot)) {
      const dependents = this.#dependents.get(name) ?? new Set();
      this.#dependents.set(name, dependents.add(snapshot));
    }
  }

  /** What it needs, and everything that records lead to from there. */
  #reached({ opened, needs }: KnownSnapshot): ReadonlySet<string> {
    const reached = new Set(needs);
    for (const name of reached) {
      for (const { snapshots, names } of this.#covers.get(name) ?? []) {
        if (snapshots.has(opened.digest)) for (const next of names) reached.add(next);
      }
    }
    return reached;
  }

  /**
   * A tombstone names nothing that is younger than the grace period, nor what a snapshot needs that lay there, by any
   * listing, when the run began; but for what is damaged.
   */
  condemned(tombstone: string, names: readonly string[], graceMs: number, by: Process): void {
    const { nowMs } = this.#world;
    for (const name of names) {
      // What lies there again, by a request that was under way for weeks, is condemned already.
      if (this.#condemned.has(name)) continue;
      this.#condemned.set(name, nowMs);
      const isDamaged = this.wounds.wasWounded(name, by.startedMs);
      if (isDamaged && this.wounds.of(name)?.kind === 'rotten')
        by.count('rotten objects announced');
      const stored = this.#bucket().look(name);
      if (stored && nowMs - stored.createdMs < graceMs && !isDamaged) {
        this.#world.fail(`${tombstone} names ${name}, which is younger than the grace period`);
      }
      for (const snapshot of isDamaged ? [] : (this.#dependents.get(name) ?? [])) {
        if (snapshot.storedMs + LISTING_LAG_MAX_MS > by.startedMs) continue;
        const isStanding = (one: string): boolean =>
          !this.#condemned.has(one) && this.#bucket().look(one) !== undefined;
        if (this.#covers.size > 0 && this.#isServedBut(name, snapshot, isStanding)) continue;
        this.#world.fail(`${tombstone} names ${name}, and ${snapshot.opened.name} needs it`);
      }
    }
  }

  deleted(name: string, by: Process): void {
    const snapshot = this.#snapshots.get(name);
    if (snapshot) this.#forgotten(snapshot, by);
    else this.wounds.inflict(name, 'swept');
    const isThere = (one: string): boolean => this.#bucket().look(one) !== undefined;
    const [dependent] = [...(this.#dependents.get(name) ?? [])].filter(
      (one) => !this.#isServedBut(name, one, isThere),
    );
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

  /**
   * What is wrong with a snapshot that its machine could have known: a push sees what is there, with its size, and what
   * is announced, all as old as a listing may be; and a machine has read what it took over from another one.
   */
  #problemsOf(snapshot: KnownSnapshot, by: Process, readMs: number): string[] {
    const { opened, needs, chunks } = snapshot;
    // While its machine slept it may have been repacked.
    const looked = needs.flatMap((name) => this.#missed(snapshot, name));
    const problems = looked.flatMap((name) => {
      const wound = this.wounds.of(name);
      if (!wound) return this.#isAsSent(name) ? [] : [`${name} is not what was sent`];
      const { kind, sinceMs } = wound;
      const announcedMs = this.#condemned.get(name) ?? Infinity;
      const isOthers = !name.includes(opened.writer);
      const isExcused =
        (kind === 'lost' && sinceMs + LISTING_LAG_MAX_MS >= by.startedMs) ||
        (kind === 'rotten' &&
          announcedMs + LISTING_LAG_MAX_MS >= by.startedMs &&
          !(isOthers && sinceMs < readMs));
      if (!isExcused) return [`${name} is ${kind} since ${new Date(sinceMs).toISOString()}`];
      by.count(`pushes that could not know of something ${kind}`);
      return [];
    });
    if (!this.#bucket().look(opened.name)) problems.push('it is not there');
    const there = new Set(needs.flatMap((name) => this.#chunks.get(name) ?? []));
    const missing = chunks.filter((chunk) => !there.has(chunk));
    return missing.length > 0 ? [...problems, `${missing.length} chunks are nowhere`] : problems;
  }

  #isAsSent(name: string): boolean {
    const stored = this.#bucket().look(name);
    const sent = this.#sent.get(name);
    return stored !== undefined && sent !== undefined && Buffer.compare(stored.bytes, sent) === 0;
  }

  /** Whether all of it lies there as it was sent. */
  isWhole(snapshot: KnownSnapshot): boolean {
    const isGood = (name: string): boolean => this.#isAsSent(name);
    return snapshot.needs.every((name) => this.#isServed(snapshot, name, isGood));
  }

  isAnnounced(name: string): boolean {
    return this.#condemned.has(name);
  }

  known(name: string): KnownSnapshot | undefined {
    return this.#snapshots.get(name);
  }

  /** Everything that snapshots need which count and are not forgotten. */
  *needs(): Generator<Need> {
    for (const own of this.#living.values()) {
      for (const snapshot of own) {
        if (!this.#counts(snapshot)) continue;
        for (const name of snapshot.needs) {
          for (const one of this.#missed(snapshot, name)) yield { snapshot, name: one };
        }
      }
    }
  }

  /** Whether others stand in for it that are all there. */
  #isReplaced(snapshot: KnownSnapshot, name: string): boolean {
    return (
      this.#covers.has(name) &&
      this.#isServed(snapshot, name, (one) => one !== name && this.#isAsSent(one))
    );
  }

  /** What whoever looks for what a snapshot needs finds there, or misses. */
  #missed(snapshot: KnownSnapshot, name: string): readonly string[] {
    const covers = (this.#covers.get(name) ?? []).filter(({ snapshots }) =>
      snapshots.has(snapshot.opened.digest),
    );
    const [only, another] = covers;
    if (!only) return [name];
    // Of several that stand in for it nobody can say which one is missed.
    if (this.#isReplaced(snapshot, name) || another || this.#isAsSent(name)) return [];
    return only.names.flatMap((next) => this.#missed(snapshot, next));
  }

  /** The objects that a snapshot rests on now. */
  #standsOn(snapshot: KnownSnapshot, name: string): readonly string[] {
    if (!this.#isReplaced(snapshot, name)) return [name];
    const cover = (this.#covers.get(name) ?? []).find(
      ({ snapshots, names }) =>
        snapshots.has(snapshot.opened.digest) &&
        names.every((next) => this.#isServed(snapshot, next, (one) => this.#isAsSent(one))),
    );
    return (cover?.names ?? []).flatMap((next) => this.#standsOn(snapshot, next));
  }

  /** Chunks in stored packs: needed by a snapshot; dead, beside one that is needed; in packs that nobody needs. */
  space(): { readonly live: number; readonly dead: number; readonly unneeded: number } {
    const living = [...this.#living.values()].flatMap((own) => [...own]);
    const needs = new Set(
      living.flatMap((one) => one.needs.flatMap((name) => this.#standsOn(one, name))),
    );
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

  /** Living ones of a machine that count, as they were stored. */
  ofWriter(writer: WriterId): KnownSnapshot[] {
    const own = [...(this.#living.get(writer) ?? [])];
    return this.#revoked.has(writer) ? own.filter((one) => this.#counts(one)) : own;
  }

  #forgotten(snapshot: KnownSnapshot, by: Process): void {
    snapshot.forgottenMs = this.#world.nowMs;
    this.wounds.revision += 1;
    this.#living.get(snapshot.opened.writer)?.delete(snapshot);
    for (const name of this.#reached(snapshot)) this.#dependents.get(name)?.delete(snapshot);
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
