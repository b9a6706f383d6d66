/**
 * Somebody with the keys who looks after the repository: checks, repairs what can be, and tries what a pull
 * would offer. What they say is held against what is true.
 */
import type { FerryEvent } from '../../src/base/events.ts';
import { parseWriterObjectName } from '../../src/format/names.ts';
import { check, type Checked } from '../../src/maintenance/check/check.ts';
import { repair } from '../../src/maintenance/repair.ts';
import { readHistory } from '../../src/repository/history.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import type { Dice } from './dice.ts';
import { newestWhole } from './landing.ts';
import type { KnownSnapshot, Ledger } from './ledger.ts';
import { LISTING_LAG_MAX_MS } from './wounds.ts';
import type { Process, World } from './world.ts';

const NO_ABORT = new AbortController().signal;
const emit = (_event: FerryEvent): void => {};

export class Caretaker {
  readonly #world: World;
  readonly #ledger: Ledger;
  readonly #dice: Dice;

  constructor(world: World, ledger: Ledger, dice: Dice) {
    this.#world = world;
    this.#ledger = ledger;
    this.#dice = dice;
  }

  /** @param pulling the same repository, for who pulls */
  async run(
    repository: ReaderRepository,
    pulling: ReaderRepository,
    process: Process,
  ): Promise<void> {
    const nowMs = await repository.store.dateMs(NO_ABORT);
    const request = { readPercent: 100, nowMs };
    const checked = await check(repository, request, { emit }, NO_ABORT);
    this.#judgeCheck(checked, process);
    await this.#pull(pulling, process);
    if (checked.problems.length === 0) return;
    const random = (length: number): Uint8Array => this.#dice.noise(length);
    await repair(request, { repository, random, emit }, NO_ABORT);
    process.count('repairs');
    for (const { name } of this.#plainNeeds(process)) {
      const kind = this.#ledger.wounds.of(name)?.kind;
      if (kind !== 'rotten' || this.#ledger.isAnnounced(name)) continue;
      this.#world.fail(`a repair is over, and ${name} is damaged and not announced`);
    }
  }

  /** It names all that is wrong, with who needs it, and nothing else. */
  #judgeCheck({ problems }: Checked, process: Process): void {
    process.count('checks');
    const named = new Map(problems.map((one) => [one.object, new Set(one.snapshots)]));
    for (const { name, snapshot } of this.#plainNeeds(process)) {
      const { opened, committedMs } = snapshot;
      process.count(`needs named by a check: ${this.#ledger.wounds.of(name)?.kind}`);
      if (committedMs === undefined) process.count('snapshots of the gap named by a check');
      if (named.get(name)?.has(opened.id)) continue;
      const kind = this.#ledger.wounds.of(name)?.kind;
      this.#world.fail(`a check does not say that ${opened.name} lacks ${name} (${kind})`);
    }
    for (const { object: name, message } of problems) {
      const folder = parseWriterObjectName(name)?.folder;
      if (folder !== 'packs' && folder !== 'lists') continue;
      if (this.#ledger.wounds.wasWounded(name, process.startedMs)) continue;
      this.#world.fail(`a check says without reason of ${name}: ${message}`);
    }
  }

  /** What everybody sees who began when this process did. Without its list nobody knows what a snapshot needs. */
  *#plainNeeds({ startedMs }: Process): Generator<{ name: string; snapshot: KnownSnapshot }> {
    const { wounds } = this.#ledger;
    for (const { name, snapshot } of this.#ledger.needs()) {
      const wound = wounds.of(name);
      const [list = ''] = snapshot.needs;
      if (!wound || (name !== list && wounds.of(list))) continue;
      const plainMs = wound.sinceMs + (wound.kind === 'rotten' ? 0 : LISTING_LAG_MAX_MS);
      const listedMs = snapshot.storedMs + LISTING_LAG_MAX_MS;
      if (Math.max(plainMs, listedMs) < startedMs) yield { name, snapshot };
    }
  }

  /** What a pull takes is the newest whole one of what is shown. */
  async #pull(repository: ReaderRepository, process: Process): Promise<void> {
    const { wounds } = this.#ledger;
    const { snapshots } = await readHistory(repository, emit, NO_ABORT);
    for (const own of Map.groupBy(snapshots, ({ writer }) => writer).values()) {
      const before = wounds.revision;
      const newestFirst = own.toReversed();
      const found = await newestWhole(repository, newestFirst, this.#ledger);
      if (wounds.revision !== before) continue;
      const whole = newestFirst.find(({ name }) => {
        const known = this.#ledger.known(name);
        return known?.forgottenMs === undefined && known && this.#ledger.isWhole(known);
      });
      const taken = found?.snapshot.cover.name;
      if (taken !== whole?.name) {
        this.#world.fail(`a pull takes ${taken}, and the newest whole one is ${whole?.name}`);
      }
      if (taken === undefined) process.count('pulls that found nothing whole');
      else process.count(taken === newestFirst[0]?.name ? 'pulls' : 'pulls of an older snapshot');
    }
  }
}
