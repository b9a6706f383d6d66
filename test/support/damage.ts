/**
 * Damage to what has a name. Which pack holds a file, and where, is the workers' affair and another one at every run;
 * "the middle of the largest pack" may be padding, or belong to somebody else, and then nothing was damaged.
 */
import assert from 'node:assert/strict';
import { view } from '../../src/base/bytes.ts';
import { CHUNK_ID_BYTES } from '../../src/crypto/sizes.ts';
import type { FileEntry } from '../../src/format/entry.ts';
import { visitPlaces, type SegmentPlace } from '../../src/format/chunk-place.ts';
import { parseWriterObjectName } from '../../src/format/names.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import { packName, readOwnDirectory } from '../../src/repository/pack-reader.ts';
import { PackPlaces } from '../../src/repository/pack-places.ts';
import { openSnapshot, type SnapshotReader } from '../../src/repository/snapshot-reader.ts';
import type { OpenedCover } from '../../src/repository/snapshots.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { NO_ABORT } from './engine.ts';

/** A sealed frame of a pack: a bit of it changed, and everything in it is lost. */
export type Frame = { readonly pack: string; readonly offset: number; readonly bytes: number };

/** The frames that hold the content of a file, in its order. @param path as problems name it: `<root>/<path>` */
export async function framesOf(
  repository: ReaderRepository,
  cover: OpenedCover,
  path: string,
): Promise<readonly Frame[]> {
  const snapshot = await openSnapshot(repository, cover, () => undefined, NO_ABORT);
  const wanted = view(await snapshot.chunkIds(await fileIn(snapshot, path)));
  const frames = new Map<string, Frame>();
  for (let at = 0; at < wanted.length; at += CHUNK_ID_BYTES) {
    const id = wanted.subarray(at, at + CHUNK_ID_BYTES);
    for (const pack of snapshot.packs) {
      const place = new PackPlaces(pack).get(id);
      if (place) frames.set(`${packName(pack)} ${place.frame}`, frameOf(packName(pack), place));
    }
  }
  assert.ok(frames.size > 0, `${path} has content`);
  return [...frames.values()];
}

/** The pack in which the content of a file begins. */
export async function packOf(
  repository: ReaderRepository,
  cover: OpenedCover,
  path: string,
): Promise<string> {
  const [frame] = await framesOf(repository, cover, path);
  return frame?.pack ?? assert.fail(path);
}

/** The first frame of a pack, whatever lies in it. */
export async function firstFrame(repository: ReaderRepository, name: string): Promise<Frame> {
  const { size } = (await repository.store.stat(name, NO_ABORT)) ?? assert.fail(name);
  const { writer, id } = parseWriterObjectName(name) ?? assert.fail(name);
  const pack = await readOwnDirectory(repository, { writer, pack: id, size }, NO_ABORT);
  const segments: SegmentPlace[] = [];
  visitPlaces(pack.directory, name, (_id, segment) => void segments.push(segment));
  return frameOf(name, segments[0] ?? assert.fail(`${name} is empty`));
}

/** Flips a bit in the frame in which the content of a file begins; answers the pack's name. */
export async function damageFile(
  repository: ReaderRepository,
  cover: OpenedCover,
  path: string,
): Promise<string> {
  const [frame = assert.fail(path)] = await framesOf(repository, cover, path);
  await flipBit(repository.store, frame.pack, middleOf(frame));
  return frame.pack;
}

export const middleOf = ({ offset, bytes }: Frame): number => offset + (bytes >> 1);

/** @param at by default the middle: of everything but a pack each byte is signed or sealed */
export async function flipBit(store: ObjectStore, name: string, at?: number): Promise<void> {
  const { bytes } = (await store.get(name, undefined, NO_ABORT)) ?? assert.fail(name);
  const place = at ?? bytes.length >> 1;
  assert.ok(place < bytes.length, name);
  bytes[place] = (bytes[place] ?? 0) ^ 0x10;
  await store.put(name, bytes, {}, NO_ABORT);
}

const frameOf = (pack: string, { frameOffset, frameStored }: SegmentPlace): Frame => ({
  pack,
  offset: frameOffset,
  bytes: frameStored,
});

async function fileIn(snapshot: SnapshotReader, path: string): Promise<FileEntry> {
  for (const root of snapshot.body.roots) {
    for await (const entry of snapshot.entries(root)) {
      if (entry.type === 'file' && `${root.name}/${entry.path}` === path) return entry;
    }
  }
  return assert.fail(`there is no file ${path}`);
}
