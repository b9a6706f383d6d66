/** Covers and bodies that are written as they are: the code that made them is under test, not the schema. */
import { utf8 } from '../../../src/base/bytes.ts';
import { encodePadded } from '../../../src/format/padded.ts';
import type { Cover, SnapshotBody } from '../../../src/format/snapshot.ts';

export * from '../../../src/format/snapshot.ts';

export const encodeCover = (cover: Cover): Uint8Array => encodePadded(utf8(JSON.stringify(cover)));
export const encodeSnapshotBody = (body: SnapshotBody): Uint8Array =>
  encodePadded(utf8(JSON.stringify(body)));
