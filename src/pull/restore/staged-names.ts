/** What entries are called in their stage, where only a part of a root is restored. */
import { asBytePath, type BytePath } from '../../base/byte-path.ts';
import type { Entry } from '../../format/entry.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { isMeant, restOf, type RestoreTarget } from './restore-target.ts';

export class StagedNames {
  readonly #snapshot: Pick<SnapshotReader, 'entries'>;
  /** Of files with several names, by `<stage>/<path>` of a first name that was not chosen: the first that was. */
  readonly #chosen = new Map<string, BytePath>();

  constructor(snapshot: Pick<SnapshotReader, 'entries'>) {
    this.#snapshot = snapshot;
  }

  /** The entry as its stage has it; a chosen name of a file whose first name was not chosen has the content. */
  async staged(stage: number, target: RestoreTarget, entry: Entry): Promise<Entry> {
    const { below = asBytePath('') } = target;
    const whole = await this.#withContent(stage, target, entry);
    if (below === '' && whole.type !== 'hardlink') return whole;
    const path = restOf(below, whole.path);
    if (whole.type !== 'hardlink') return { ...whole, path };
    const first = this.#chosen.get(`${stage}/${whole.target}`) ?? whole.target;
    return { ...whole, path, target: restOf(below, first) };
  }

  async #withContent(stage: number, target: RestoreTarget, entry: Entry): Promise<Entry> {
    if (entry.type !== 'hardlink' || isMeant(target, entry.target)) return entry;
    const name = `${stage}/${entry.target}`;
    if (this.#chosen.has(name)) return entry;
    for await (const first of this.#snapshot.entries(target.root, entry.target)) {
      if (first.path !== entry.target || first.type !== 'file') break;
      this.#chosen.set(name, entry.path);
      return { ...first, path: entry.path };
    }
    return entry;
  }
}
