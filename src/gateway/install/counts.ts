/** How much an install holds, as plain data: recorded with a snapshot, counted again on the other side. */
import { z } from 'zod';

export const agentCountsSchema = z.object({
  id: z.string(),
  sessions: z.number().int(),
  transcripts: z.number().int(),
});

export const countsSchema = z.object({
  agents: z.array(agentCountsSchema),
  credentialFiles: z.number().int(),
  channels: z.array(z.string()),
  cronJobs: z.number().int(),
  workspaces: z.array(z.object({ path: z.string(), files: z.number().int() })),
});
export type AgentCounts = z.infer<typeof agentCountsSchema>;
export type InstallCounts = z.infer<typeof countsSchema>;
