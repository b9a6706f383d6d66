/** The chunks of a snapshot by its own word: a simulated install has ids of chunks, and no files that they are of. */
import { z } from 'zod';
import type { ChunkVisit } from '../../../src/maintenance/repack/visit-chunks.ts';
import type { SnapshotReader } from '../../../src/repository/snapshot-reader.ts';

const toldSchema = z.object({ chunks: z.array(z.string()) });

export async function visitChunks(
  { body }: Pick<SnapshotReader, 'body'>,
  { use }: Pick<ChunkVisit, 'use'>,
): Promise<void> {
  for (const id of toldSchema.parse(body.gateway).chunks) use(Buffer.from(id, 'hex'));
}
