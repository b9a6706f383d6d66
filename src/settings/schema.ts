/** What settings.json holds. Never AWS keys, passphrases, recovery codes, or the identity. */
import { z } from 'zod';
import { processMarkSchema } from '../fs/living-process.ts';
import { machineStateSchema } from '../repository/machine.ts';
import { proofSchema, scheduleSchema } from '../schedule/record.ts';

export const SETTINGS_FORMAT = 1;

/** The last push of one install. */
const pushedSchema = z.object({
  time: z.iso.datetime(),
  snapshot: z.string(),
  files: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  omissions: z.int().nonnegative(),
  problems: z.int().nonnegative(),
});

const probedSchema = z.object({
  time: z.iso.datetime(),
  /** What changes how the store is opened. */
  store: z.object({
    uploadChecksum: z.enum(['crc32', 'md5']).optional(),
    createOnly: z.enum(['atomic', 'racy', 'none']).optional(),
  }),
  /** All of it, for people. */
  report: z.record(z.string(), z.json()),
});

const id16 = z.string().regex(/^[0-9a-f]{32}$/);
const key32 = z.string().regex(/^[0-9a-f]{64}$/);

const fenceSchema = z.object({
  service: z
    .object({
      kind: z.enum(['systemd', 'launchd', 'scheduled-task']),
      name: z.string(),
      isOfSystem: z.boolean(),
      wasEnabled: z.boolean(),
    })
    .optional(),
});

/** A handoff from this machine that nobody has closed. */
const handoffSchema = z.object({
  install: z.string(),
  /** When it was begun. */
  time: z.iso.datetime(),
  /** How the gateway was stopped; absent: none ran. */
  stopped: z.object({ by: z.enum(['command', 'signal']), port: z.int() }).optional(),
  /** From before it is raised. */
  fence: fenceSchema.optional(),
  /** Absent while there is no ticket yet. Never the key of the grant: it opens packs. */
  offer: z
    .object({
      grant: id16,
      repository: id16,
      writer: id16,
      snapshot: id16,
      digest: key32,
      endsAt: z.iso.datetime(),
      claimKey: key32,
      receiptKey: key32,
      /** A claim that was seen: who may delete in the bucket takes it away, and not what it said. */
      taken: z.object({ time: z.iso.datetime(), machine: z.string() }).optional(),
    })
    .optional(),
});
export type HandoffSettings = z.infer<typeof handoffSchema>;

/** A ticket that this machine took over with. */
const takeoverSchema = z.object({
  grant: id16,
  install: z.string(),
  snapshot: id16,
  time: z.iso.datetime(),
  /** What makes the claim ours. */
  nonce: id16,
  /** Sealed, and not stored yet. */
  receipt: z
    .object({
      name: z.string(),
      bytes: z.base64(),
      /** A repository in a folder, or the addresses of a bucket. */
      folder: z.string().optional(),
      addresses: z
        .object({
          base: z.string(),
          region: z.string(),
          accessKeyId: z.string(),
          signedAtSeconds: z.int(),
          lifeSeconds: z.int(),
          token: z.string().optional(),
          get: key32,
          put: key32,
          createOnly: z.boolean(),
        })
        .optional(),
    })
    .optional(),
});
export type TakeoverSettings = z.infer<typeof takeoverSchema>;

const repositorySchema = z.object({
  /** As printed by `printLocation`; what a repository is found by. */
  location: z.string().min(1),
  /** Of the machine that this is in it; absent while it only was probed. */
  machine: machineStateSchema.optional(),
  probe: probedSchema.optional(),
  lastPush: z.record(z.string(), pushedSchema).optional(),
  /** Of this machine, out of the repository at `from`: what lies here need not be pushed here. */
  lastCopy: z.object({ time: z.iso.datetime(), from: z.string() }).optional(),
  /** As `init --lock` set it in the bucket. */
  lockDays: z.int().positive().optional(),
  /** By the last prune of this machine: how long new objects are locked, and when the first lock of all ends. */
  locked: z.object({ days: z.int().positive(), soonest: z.iso.datetime() }).optional(),
  handoffs: z.array(handoffSchema).optional(),
});
export type RepositorySettings = z.infer<typeof repositorySchema>;

const checkSchema = z.object({
  check: z.string(),
  ok: z.boolean(),
  expected: z.string(),
  found: z.string(),
});

const pulledSchema = z.object({
  time: z.iso.datetime(),
  repository: z.string(),
  snapshot: z.string(),
  install: z.string(),
  checklist: z.array(checkSchema),
});

/** An install that was pulled from a repository. */
const landedSchema = z.object({
  repository: id16,
  /** As it is called here. */
  install: z.string(),
  /** As it is called in its snapshot. */
  source: z.string(),
  chunkIdKey: key32,
  /** What a machine that had joined already had in its place, by writer, as the machine keeps it. */
  before: z.record(id16, z.string()),
});
export type LandedSettings = z.infer<typeof landedSchema>;

/** Where a pull gathers an install; until it is swapped in, or for ever where that was interrupted. */
const stagedSchema = z.object({
  time: z.iso.datetime(),
  by: processMarkSchema,
  installs: z.array(z.object({ install: z.string(), snapshot: id16 })),
  stages: z.array(z.string()),
  /** That goes on with it. */
  command: z.string(),
});
export type StagedSettings = z.infer<typeof stagedSchema>;

export const settingsSchema = z.object({
  format: z.literal(SETTINGS_FORMAT),
  /** A location that stands in `repositories`. */
  defaultRepository: z.string().optional(),
  repositories: z.array(repositorySchema),
  lastPull: pulledSchema.optional(),
  takeovers: z.array(takeoverSchema).optional(),
  landed: z.array(landedSchema).optional(),
  staged: z.array(stagedSchema).optional(),
  schedule: scheduleSchema.optional(),
  /** Of an install of the schedule that is under way. */
  proof: proofSchema.optional(),
});
export type SettingsData = z.infer<typeof settingsSchema>;

export const EMPTY_SETTINGS: SettingsData = { format: SETTINGS_FORMAT, repositories: [] };
