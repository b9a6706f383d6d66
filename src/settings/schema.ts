/** What settings.json holds. Never AWS keys, passphrases, recovery codes, or the identity. */
import { z } from 'zod';
import { machineStateSchema } from '../repository/machine.ts';

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

const repositorySchema = z.object({
  /** As printed by `printLocation`; what a repository is found by. */
  location: z.string().min(1),
  /** Of the machine that this is in it; absent while it only was probed. */
  machine: machineStateSchema.optional(),
  probe: probedSchema.optional(),
  lastPush: z.record(z.string(), pushedSchema).optional(),
  readerKeyFile: z.string().optional(),
  /** As `init --lock` set it in the bucket. */
  lockDays: z.int().positive().optional(),
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

export const settingsSchema = z.object({
  format: z.literal(SETTINGS_FORMAT),
  /** A location that stands in `repositories`. */
  defaultRepository: z.string().optional(),
  repositories: z.array(repositorySchema),
  lastPull: pulledSchema.optional(),
});
export type SettingsData = z.infer<typeof settingsSchema>;

export const EMPTY_SETTINGS: SettingsData = { format: SETTINGS_FORMAT, repositories: [] };
