/**
 * What a machine remembers of a repository that it joined (kept by the settings, as plain data): the pinned
 * public halves, its own writer, and the marks by which it notices a rolled-back bucket.
 */
import { z } from 'zod';
import { fromBase64 } from '../base/bytes.ts';
import { writerSubkeys, type PublicHalves, type WriterSubkeys } from '../crypto/identity.ts';
import { ed25519KeyPair, type KeyPair } from '../crypto/sodium.ts';
import type { WriterId } from '../format/names.ts';

const key32 = z.string().regex(/^[A-Za-z0-9+/]{43}=$/);
const id16 = z.string().regex(/^[0-9a-f]{32}$/);

const markSchema = z.object({
  sequence: z.int().nonnegative(),
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  snapshot: id16,
  time: z.iso.datetime(),
});
/** The newest snapshot of a writer that this machine has seen. */
export type HighWaterMark = z.infer<typeof markSchema>;

const revokedSchema = z.object({
  time: z.iso.datetime(),
  /** The last snapshot that counts; null: none does. */
  last: z
    .object({ sequence: z.int().positive(), digest: z.string().regex(/^[0-9a-f]{64}$/) })
    .nullable(),
});
/** A revocation that this machine has seen. */
export type RevokedMark = z.infer<typeof revokedSchema>;

export const machineStateSchema = z.object({
  format: z.literal(1),
  repository: id16,
  /** X-Wing public key. */
  recipient: z.string().length(1624),
  root: key32,
  machine: z.string().min(1).max(200),
  writer: z.object({ id: id16, key: key32, signingSeed: key32 }),
  highWater: z.record(id16, markSchema),
  /** A snapshot stored (C3) whose commit was not finished (C4): the next push looks at it first. */
  pending: markSchema.optional(),
  /** By writer. A bucket that does not show one of them any more takes nothing back. */
  revoked: z.record(id16, revokedSchema).optional(),
});
export type MachineState = z.infer<typeof machineStateSchema>;

/** The state with a way to keep changes; `save` is durable when it resolves. */
export type MachineMemory = {
  readonly state: MachineState;
  save(state: MachineState): Promise<void>;
};

export type Writer = {
  readonly id: WriterId;
  readonly key: Uint8Array;
  readonly subkeys: WriterSubkeys;
  readonly signing: KeyPair;
  readonly machine: string;
};

export function writerOf(state: MachineState): Writer {
  const key = fromBase64(state.writer.key);
  return {
    id: state.writer.id as WriterId,
    key,
    subkeys: writerSubkeys(key),
    signing: ed25519KeyPair(fromBase64(state.writer.signingSeed)),
    machine: state.machine,
  };
}

export const pinnedHalves = (state: MachineState): PublicHalves => ({
  recipient: fromBase64(state.recipient),
  root: fromBase64(state.root),
});
