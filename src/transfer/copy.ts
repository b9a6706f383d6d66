/**
 * copy: snapshots of one repository sealed anew into another, under its own keys. Opened by a reader of the source,
 * pushed by a machine of the target; times, installs and labels stay, and each copy names what it is of.
 */
import type { Emit } from '../base/events.ts';
import { ByteWriter, toHex } from '../base/bytes.ts';
import { FerryError, isObjectFault, throwIfAborted } from '../base/errors.ts';
import { encodeEntryRest } from '../format/entry.ts';
import {
  ORIGIN_MACHINE_MAX,
  type Origin,
  type SnapshotBody,
  type SnapshotRoot,
} from '../format/snapshot.ts';
import type { PushLine } from '../push/line.ts';
import { pushFilled, type PushDeps, type PushedSnapshot } from '../push/push.ts';
import { TreeBuilder } from '../push/tree-builder.ts';
import type { ReaderRepository } from '../repository/open.ts';
import { listSnapshots } from '../repository/snapshot-list.ts';
import { openSnapshot, type SnapshotReader } from '../repository/snapshot-reader.ts';
import type { OpenedCover } from '../repository/snapshots.ts';
import { CopiedContent, KnownCopies } from './copied-content.ts';

export type CopyRequest = {
  readonly source: ReaderRepository;
  /** What to copy; what the target has already is left out. */
  readonly snapshots: readonly OpenedCover[];
  /** Only says what would be copied. */
  readonly isDryRun: boolean;
};

/** The repository is the target. */
export type CopyDeps = PushDeps;

export type CopiedSnapshot = Pick<PushedSnapshot, 'install' | 'files' | 'bytes'> & {
  readonly origin: Origin;
  /** undefined: a dry run. */
  readonly pushed: Pick<PushedSnapshot, 'id' | 'bytesNew' | 'bytesStored'> | undefined;
};

export type Copied = {
  readonly copied: readonly CopiedSnapshot[];
  /** How many were in the target before. */
  readonly present: number;
  readonly problems: readonly {
    readonly object: string;
    readonly code: string;
    readonly message: string;
  }[];
};

/** Oldest first. One that cannot be read whole is a problem, and the others are copied all the same. */
export async function copySnapshots(
  { source, snapshots, isDryRun }: CopyRequest,
  deps: CopyDeps,
  signal: AbortSignal,
): Promise<Copied> {
  if (source.id === deps.repository.id) {
    throw new FerryError('usage', 'both places hold the same repository', {
      hint: 'A copy is for another one, with keys of its own. For a second place: stateferry mirror',
    });
  }
  const there = await listSnapshots(deps.repository, deps.emit, signal);
  const digests = new Set(there.map(({ cover }) => cover.origin?.digest));
  const missing = snapshots.filter(({ digest }) => !digests.has(digest));
  const copied: CopiedSnapshot[] = [];
  const problems: { object: string; code: string; message: string }[] = [];
  const known = new KnownCopies();
  const inOrder = missing.toSorted((a, b) => (a.cover.time < b.cover.time ? -1 : 1));
  for (const [at, one] of inOrder.entries()) {
    throwIfAborted(signal);
    const detail = `${one.id.slice(0, 8)}, ${at + 1} of ${inOrder.length}`;
    if (!isDryRun) deps.emit({ type: 'stage', stage: 'copy', detail });
    const { install, files, bytes } = one.cover;
    const origin = originOf(source, one);
    try {
      const pushed = isDryRun ? undefined : await copyOne(source, one, known, deps, signal);
      copied.push({ install, files, bytes, origin, pushed });
    } catch (error) {
      if (!isObjectFault(error)) throw error;
      const { code, message } = error;
      problems.push({ object: one.name, code, message });
    }
  }
  return { copied, present: snapshots.length - missing.length, problems };
}

const originOf = (
  source: ReaderRepository,
  { id, machine, digest, cover }: OpenedCover,
): Origin => ({
  repository: source.id,
  // A copy of a copy has both names; the end is what its writer cannot choose.
  machine: machine.slice(-ORIGIN_MACHINE_MAX),
  snapshot: id,
  digest,
  time: cover.time,
});

async function copyOne(
  source: ReaderRepository,
  chosen: OpenedCover,
  known: KnownCopies,
  deps: CopyDeps,
  signal: AbortSignal,
): Promise<PushedSnapshot> {
  const snapshot = await openSnapshot(source, chosen, deps.emit, signal);
  const { label, files, bytes } = chosen.cover;
  const filling = {
    install: snapshot.body.install.install,
    label: label ?? undefined,
    origin: originOf(source, chosen),
    totals: { files, bytes },
    fill: (line: PushLine) => copyTrees(source, snapshot, line, known, signal),
  };
  // Which snapshot it is at says more than the stages of a push.
  const emit: Emit = (event) => (event.type === 'stage' ? undefined : deps.emit(event));
  return pushFilled(filling, { ...deps, emit }, signal);
}

/** The same trees with the chunk ids of the target. */
async function copyTrees(
  source: ReaderRepository,
  snapshot: SnapshotReader,
  line: PushLine,
  known: KnownCopies,
  signal: AbortSignal,
): Promise<SnapshotBody> {
  const content = new CopiedContent(source, snapshot, line, known, signal);
  const writer = new ByteWriter(4096);
  const roots: SnapshotRoot[] = [];
  for (const root of snapshot.body.roots) {
    const tree = new TreeBuilder(line.sink, line.keys.pageCut);
    for await (const entry of content.entries(root)) {
      throwIfAborted(signal);
      writer.reset();
      encodeEntryRest(writer, entry);
      tree.add(entry.path, writer.take());
      line.progress.settled(entry.type === 'file' ? entry.size : 0);
    }
    roots.push({ ...root, page: toHex(tree.finish()) });
    await content.flush();
  }
  return { ...snapshot.body, roots };
}
