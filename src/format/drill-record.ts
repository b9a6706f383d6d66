/**
 * A drill record `drills/<writer>/<id>`: header ‖ box ‖ signature. What a restore came to when it was rehearsed, and
 * how far every machine's snapshots reached at that moment, by the word of the machine that ran it. The box is under
 * that machine's own subkey: readers open it too, and the bucket learns only that there was a drill.
 */
import { z } from 'zod';
import { utf8 } from '../base/bytes.ts';
import { parseJson } from './json.ts';
import { decodePadded, encodePadded } from './padded.ts';

export const DRILL_RECORD_LIMITS = {
  recordBytesMax: 4 * 1024 * 1024,
  seenMax: 10_000,
  checksMax: 2_000,
  textCharsMax: 1_000,
} as const;

const id16 = z.string().regex(/^[0-9a-f]{32}$/);
const hex32 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();
const text = z.string().max(DRILL_RECORD_LIMITS.textCharsMax);

const seenSchema = z.object({
  writer: id16,
  sequence: z.int().positive(),
  snapshot: id16,
  digest: hex32,
  /** As its cover says. */
  time: z.iso.datetime(),
});
/** A snapshot by its place in the chain of its writer and by its stored bytes. */
export type SeenSnapshot = z.infer<typeof seenSchema>;

const schema = z.object({
  tool: z.string().max(100),
  /** The store's Date at the end. */
  time: z.iso.datetime(),
  /** What was restored. */
  snapshot: seenSchema,
  install: z.string().max(300),
  machine: z.string().max(300),
  passed: z.boolean(),
  doctor: z.object({
    ran: z.boolean(),
    /** Of the product that was asked. */
    version: z.string().max(100).nullable(),
  }),
  files: count,
  bytes: count,
  bytesFetched: count,
  restoreMs: count,
  productMs: count,
  checks: z
    .array(z.object({ check: text, ok: z.boolean(), expected: text, found: text }))
    .max(DRILL_RECORD_LIMITS.checksMax),
  /** The newest snapshot of every writer that the repository showed. */
  seen: z.array(seenSchema).max(DRILL_RECORD_LIMITS.seenMax),
});
export type DrillRecordBody = z.infer<typeof schema>;

export const encodeDrillRecord = (body: DrillRecordBody): Uint8Array =>
  encodePadded(utf8(JSON.stringify(schema.parse(body))));
export const decodeDrillRecord = (plaintext: Uint8Array, name: string): DrillRecordBody =>
  parseJson(schema, decodePadded(plaintext, name), name);
