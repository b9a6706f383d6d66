/** What the settings keep of a schedule: what was installed, what it does, and how each job went. */
import { z } from 'zod';

/** In the order in which a run takes them: what saves comes first, what only looks comes last. */
export const JOB_NAMES = ['push', 'forget', 'prune', 'check', 'drill', 'watch'] as const;
export type JobName = (typeof JOB_NAMES)[number];

export const EVERY = ['daily', 'weekly', 'monthly'] as const;
export type Every = (typeof EVERY)[number];

const jobSchema = z.object({
  job: z.enum(JOB_NAMES),
  every: z.enum(EVERY),
  /** What the verb is given beside the repository and the reader key, as it would be typed. */
  words: z.array(z.string()),
});
export type Job = z.infer<typeof jobSchema>;

const wentSchema = z.object({
  /** When it last did what it is for. */
  ok: z.iso.datetime().optional(),
  /** When it last did not; gone as soon as it does again. */
  failed: z.iso.datetime().optional(),
  code: z.string().optional(),
  message: z.string().optional(),
  /** When somebody was last told of a failure that lasts. */
  told: z.iso.datetime().optional(),
});
/** How a job went. */
export type Went = z.infer<typeof wentSchema>;

export const schedulerSchema = z.object({
  kind: z.enum(['systemd', 'launchd', 'cron']),
  /** Of one user, or of the whole system (by root). */
  scope: z.enum(['user', 'system']),
  /** Where its manager reads units, if that is not the usual folder. */
  folder: z.string().optional(),
});
export type Scheduler = z.infer<typeof schedulerSchema>;

/** Who is told. Addresses are as good as secrets: they are never printed whole. */
const notifySchema = z.object({
  command: z.string().optional(),
  webhook: z.string().optional(),
  ping: z.string().optional(),
});
export type Notify = z.infer<typeof notifySchema>;

export const scheduleSchema = z.object({
  installed: z.iso.datetime(),
  scheduler: schedulerSchema,
  /** `HH:MM`, by this machine's clock and time zone. */
  at: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
  /** Node and this tool, as the timer calls them. */
  command: z.array(z.string()),
  files: z.array(z.string()),
  /** Locations that stand in the settings, or can be opened without them. */
  repositories: z.array(z.string()).min(1),
  readerKeyFile: z.string().optional(),
  jobs: z.array(jobSchema),
  /** Longest time without anything new from another machine. */
  watchMs: z.int().positive().optional(),
  notify: notifySchema,
  /** Why the last notification did not arrive. */
  untold: z.string().optional(),
  went: z.partialRecord(z.enum(JOB_NAMES), wentSchema),
});
export type Schedule = z.infer<typeof scheduleSchema>;

/** One run that `schedule install` waits for: what it shall do, and then how it went. */
export const proofSchema = z.object({
  begun: z.iso.datetime(),
  repositories: z.array(z.string()),
  /** Without one, that the repositories open is all there is to prove. */
  push: z.boolean(),
  readerKeyFile: z.string().optional(),
  result: z
    .object({
      exit: z.int(),
      code: z.string().optional(),
      message: z.string().optional(),
      hint: z.string().optional(),
      /** That were pushed. */
      installs: z.array(z.string()),
    })
    .optional(),
});
export type Proof = z.infer<typeof proofSchema>;
