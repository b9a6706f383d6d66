/**
 * What a machine remembers of a repository that it joined (kept by the settings, as plain data): the pinned
 * public halves, its own writer, and the marks by which it notices a rolled-back bucket.
 */
import { z } from 'zod';
import { fromBase64, toBase64 } from '../base/bytes.ts';
import {
  installSubkeys,
  writerSubkeys,
  type InstallSubkeys,
  type PublicHalves,
  type WriterSubkeys,
} from '../crypto/identity.ts';
import { ed25519KeyPair, sameBytes, type KeyPair } from '../crypto/sodium.ts';
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
  /** Of installs that landed here from elsewhere: the key that their chunk ids are under, instead of a derived one. */
  chunkIdKeys: z.record(z.string(), key32).optional(),
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
  readonly chunkIdKeys: ReadonlyMap<string, Uint8Array>;
};

export function writerOf(state: MachineState): Writer {
  const key = fromBase64(state.writer.key);
  return {
    id: state.writer.id as WriterId,
    key,
    subkeys: writerSubkeys(key),
    signing: ed25519KeyPair(fromBase64(state.writer.signingSeed)),
    machine: state.machine,
    chunkIdKeys: new Map(
      Object.entries(state.chunkIdKeys ?? {}).map(([install, text]) => [install, fromBase64(text)]),
    ),
  };
}

export type InstallKeys = InstallSubkeys & {
  /** The key of its chunk ids came with it, and is not derived from the writer's. */
  readonly isAdopted: boolean;
};

/** What the chunks and pages of an install are named and cut by on this machine. */
export function installKeys({ key, chunkIdKeys }: Writer, install: string): InstallKeys {
  const own = installSubkeys(key, install);
  const adopted = chunkIdKeys.get(install);
  return { ...own, ...(adopted && { chunkId: adopted }), isAdopted: adopted !== undefined };
}

export type LandedInstall = {
  /** As it is called here. */
  readonly install: string;
  /** As it is called in its snapshot. */
  readonly source: string;
  readonly chunkIdKey: Uint8Array;
};

/**
 * An install that landed here keeps the key of its chunk ids, so that its packs go on being good. But never two
 * installs of one machine: by what one of them stores, nobody shall learn what the other one has.
 */
export function withLanded(state: MachineState, landed: LandedInstall): MachineState {
  const { install, source, chunkIdKey } = landed;
  const key = fromBase64(state.writer.key);
  const { [install]: _before, ...others } = state.chunkIdKeys ?? {};
  const text = toBase64(chunkIdKey);
  const isUsed = (one: string): boolean =>
    one !== install && sameBytes(installSubkeys(key, one).chunkId, chunkIdKey);
  if (isUsed(source) || Object.values(others).includes(text)) return state;
  const isDerived = sameBytes(installSubkeys(key, install).chunkId, chunkIdKey);
  return { ...state, chunkIdKeys: isDerived ? others : { ...others, [install]: text } };
}

export const pinnedHalves = (state: MachineState): PublicHalves => ({
  recipient: fromBase64(state.recipient),
  root: fromBase64(state.root),
});
