/** What every step of a restore works on: the stages, what goes into them, and what is lost. */
import { asBytePath, joinBytes, showPath, type BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { holdFolder, type HeldFolder } from '../../fs/held-folder.ts';
import { createPlacer, type PlaceOptions, type Placer } from '../../fs/place.ts';
import { FileTable } from './file-table.ts';
import type { RestoreTarget } from './restore-target.ts';

export type RestoreProblem = { readonly path: string; readonly code: string };

export class Staging {
  readonly targets: readonly RestoreTarget[];
  /** Everything that is placed, by number. */
  readonly files = new FileTable();
  readonly problems: RestoreProblem[] = [];
  /** For threads too: where each stage is reached, whatever becomes of its name. */
  readonly stages: readonly Pick<PlaceOptions, 'stage' | 'at'>[];
  readonly #held: readonly HeldFolder[];
  readonly #placers: readonly Placer[];
  readonly #emit: Emit;
  /** `<stage>/<path>` of what is not in its place. */
  readonly #lost = new Set<string>();

  constructor(targets: readonly RestoreTarget[], setIdAllowed: boolean, emit: Emit) {
    this.targets = targets;
    this.#held = targets.map(({ stage }) => {
      // Made and proven by its name, for the last time.
      createPlacer({ stage, setIdAllowed }).close();
      return holdFolder(stage);
    });
    this.stages = this.#held.map(({ name, path }) => ({ stage: name, at: path }));
    this.#placers = this.stages.map((stage) => createPlacer({ ...stage, setIdAllowed }));
    this.#emit = emit;
  }

  placer(stage: number): Placer {
    const placer = this.#placers[stage];
    if (!placer) throw new FerryError('bug', `no stage ${stage}`);
    return placer;
  }

  placerOf(number: number): Placer {
    return this.placer(this.files.stage(number));
  }

  /** Takes back what is there of it. Of several reasons the first is told. */
  lose(number: number, why: string): void {
    if (this.files.isFailed(number)) return;
    this.files.markFailed(number);
    const stage = this.files.stage(number);
    this.#lost.add(`${stage}/${this.files.path(number)}`);
    const path = showPath(joinBytes(this.#rootName(stage), this.files.path(number)));
    this.problems.push({ path, code: 'object-damaged' });
    this.#emit({ type: 'problem', path, code: 'object-damaged', message: why });
    this.placer(stage).removeFile(this.files.path(number));
  }

  isLost(stage: number, path: BytePath): boolean {
    return this.#lost.has(`${stage}/${path}`);
  }

  /** @throws target-unsafe when the name of a stage leads to something else by now */
  checkNames(): void {
    for (const held of this.#held) held.check();
  }

  /** Once no thread writes any more. */
  close(): void {
    for (const placer of this.#placers) placer.close();
    for (const held of this.#held) held.release();
  }

  #rootName(stage: number): BytePath {
    const target = this.targets[stage];
    const name = asBytePath(target?.root.name ?? '');
    return target?.below ? joinBytes(name, target.below) : name;
  }
}
