import { parentPort, workerData } from 'node:worker_threads';
import { ChunkTable, type SharedChunkTable } from '../../../src/workers/chunk-table.ts';

// Given by chunk-table.test.ts a moment ago.
const { shared, ids } = workerData as { shared: SharedChunkTable; ids: Uint8Array };
const table = new ChunkTable(shared);
const won: number[] = [];
for (let at = 0; at < ids.length; at += 32) {
  const slot = table.claim(Buffer.from(ids.buffer, ids.byteOffset + at, 32));
  if (slot >= 0) continue;
  won.push(at / 32);
  table.setPack(~slot, 5);
}
parentPort?.postMessage(won);
