/** The tickets of a simulated world: grants that keep a snapshot from being forgotten, for a while and no longer. */
import { ByteWriter, concatBytes, fromHex } from '../../src/base/bytes.ts';
import { readGrantInTheClear } from '../../src/format/grant.ts';
import { encodeHeader } from '../../src/format/header.ts';
import {
  idBytes,
  idFromBytes,
  parseId,
  sharedObjectName,
  type ObjectId,
  type WriterId,
} from '../../src/format/names.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import type { Dice } from './dice.ts';
import { LISTING_LAG_MAX_MS } from './wounds.ts';
import { DAY_MS, HOUR_MS, type Process, type World } from './world.ts';

const GRANT_LIFE_MAX_MS = 7 * DAY_MS;
const CLAIM_KEPT_MS = 365 * DAY_MS;
const SEALED_BYTES = 200;
const FAR_AWAY_MS = Date.UTC(3000, 0, 1);

export type Handoff = {
  readonly repository: string;
  readonly writer: WriterId;
  readonly snapshot: ObjectId;
  readonly dice: Dice;
  /** It says that it lives for centuries. */
  readonly isBoundless: boolean;
};

/** A grant for this snapshot, and sometimes somebody who claims it. */
export async function handOff(
  store: ObjectStore,
  { repository, writer, snapshot, dice, isBoundless }: Handoff,
  signal: AbortSignal,
): Promise<void> {
  const object = idFromBytes<ObjectId>(dice.noise(16));
  const header = { kind: 'grant', repository: fromHex(repository), writer, object } as const;
  const lifeMs = dice.integer(HOUR_MS, GRANT_LIFE_MAX_MS);
  const endsAtMs = isBoundless ? FAR_AWAY_MS : (await store.dateMs(signal)) + lifeMs;
  const clear = new ByteWriter().bytes(encodeHeader(header)).bytes(idBytes(snapshot)).u64(endsAtMs);
  const grant = concatBytes(clear.take(), dice.noise(SEALED_BYTES));
  await store.put(sharedObjectName('grants', object), grant, {}, signal);
  if (!dice.chance(0.6)) return;
  await store.put(sharedObjectName('claims', object), dice.noise(SEALED_BYTES), {}, signal);
}

type LivingGrant = {
  readonly snapshot: ObjectId;
  readonly storedMs: number;
  readonly endsAtMs: number;
};

/** What is true of them, whatever anybody thinks. */
export class Grants {
  readonly #world: World;
  readonly #repository: string;
  readonly #grants = new Map<string, LivingGrant>();
  readonly #claimedMs = new Map<string, number>();

  constructor(world: World, repository: string) {
    this.#world = world;
    this.#repository = repository;
  }

  stored(name: string, bytes: Uint8Array): void {
    const { nowMs } = this.#world;
    const [folder, id = ''] = name.split('/');
    const object = parseId<ObjectId>(id);
    if (!object) return;
    if (folder === 'claims') this.#claimedMs.set(name, nowMs);
    if (folder !== 'grants') return;
    const clear = readGrantInTheClear(fromHex(this.#repository), object, bytes, name);
    const { snapshot } = clear;
    const endsAtMs = Math.min(clear.endsAtMs, nowMs + GRANT_LIFE_MAX_MS);
    this.#grants.set(name, { snapshot, storedMs: nowMs, endsAtMs });
    this.#world.count('grants');
  }

  deleted(name: string): void {
    const { nowMs } = this.#world;
    if (nowMs < (this.#grants.get(name)?.endsAtMs ?? 0)) {
      this.#world.fail(`${name} was deleted, and is good until later`);
    }
    if (this.#grants.delete(name)) this.#world.count('dead grants deleted');
    if (nowMs - CLAIM_KEPT_MS < (this.#claimedMs.get(name) ?? -Infinity)) {
      this.#world.fail(`${name} was deleted within a year`);
    }
    if (this.#claimedMs.delete(name)) this.#world.count('old claims deleted');
  }

  /** Whether a run that began then knows that this snapshot must stay. */
  protects(snapshot: ObjectId, by: Process): boolean {
    const { nowMs } = this.#world;
    return [...this.#grants.values()].some(
      (one) =>
        one.snapshot === snapshot &&
        nowMs < one.endsAtMs &&
        one.storedMs + LISTING_LAG_MAX_MS < by.startedMs,
    );
  }

  /** A forget is over that began after their end. */
  noneIsOverdue(by: Process): void {
    for (const [name, { storedMs, endsAtMs }] of this.#grants) {
      if (Math.max(endsAtMs, storedMs + LISTING_LAG_MAX_MS) >= by.startedMs) continue;
      this.#world.fail(`${name} is dead since ${new Date(endsAtMs).toISOString()} and still there`);
    }
  }
}
