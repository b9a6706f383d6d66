/** The sessions that the product itself lists: what its dashboard will show, asked without a gateway. */
import { z } from 'zod';
import type { AgentCounts } from '../install/counts.ts';
import { parseJsonOutput } from '../product/answer.ts';
import type { CliTarget, ProductCli } from '../product/product-cli.ts';
import { compareVersions } from '../product/version.ts';
import { notChecked, type CheckLine } from './checklist.ts';

const TIMEOUT_MS = 120_000;
/** The newest lists a hundred unless told otherwise. */
const LIMIT = ['--limit', '1000000'];
/** The first that knows all agents, and the first that knows a limit; others ignore or refuse what they do not know. */
const ALL_AGENTS_SINCE = '2026.2.0';
const LIMIT_SINCE = '2026.4.0';

const listSchema = z.object({
  sessions: z.array(z.object({ key: z.string(), agentId: z.string().optional() })),
});

/** @param expected what lies in the files now, which was compared with the snapshot */
export async function checkListedSessions(
  cli: ProductCli,
  expected: readonly AgentCounts[],
  request: { readonly target: CliTarget; readonly signal: AbortSignal },
): Promise<CheckLine[]> {
  const version = cli.version ?? '';
  const knows = (since: string): boolean => version !== '' && compareVersions(version, since) >= 0;
  const args = [
    'sessions',
    '--json',
    ...(knows(ALL_AGENTS_SINCE) ? ['--all-agents'] : []),
    ...(knows(LIMIT_SINCE) ? LIMIT : []),
  ];
  const result = await cli.run(args, { ...request, timeoutMs: TIMEOUT_MS });
  const parsed = listSchema.safeParse(parseJsonOutput(result.stdout));
  const listed = new Map<string, number>();
  for (const { key, agentId } of parsed.data?.sessions ?? []) {
    const agent = agentId ?? key.split(':')[1] ?? '';
    listed.set(agent, (listed.get(agent) ?? 0) + 1);
  }
  return expected.map(({ id, sessions }) => {
    const check = `sessions of ${id} that ${cli.brand.command} lists`;
    const line = { check, critical: true, expected: `${sessions}` };
    const found = listed.get(id) ?? 0;
    if (!parsed.success)
      return notChecked(line, result.timedOut ? 'no answer in time' : 'not told');
    if (found === 0 && !knows(ALL_AGENTS_SINCE)) return notChecked(line, 'it lists one agent only');
    return { ...line, ok: found >= sessions, found: `${found}` };
  });
}
