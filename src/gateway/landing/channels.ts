/** Are the channels of the snapshot still connected? As the product says, where it says it in JSON. */
import { z } from 'zod';
import { parseJsonOutput } from '../product/answer.ts';
import type { CliTarget, ProductCli } from '../product/product-cli.ts';
import { notChecked, type CheckLine } from './checklist.ts';

const said = z.object({ ok: z.boolean().optional(), error: z.string().nullish() }).nullish();
const accountSchema = z.object({
  enabled: z.boolean().optional(),
  configured: z.boolean().optional(),
  linked: z.boolean().optional(),
  running: z.boolean().optional(),
  connected: z.boolean().optional(),
  lastError: z.string().nullish(),
  probe: said,
});
type Account = z.infer<typeof accountSchema>;
const statusSchema = z.object({
  gatewayReachable: z.boolean().optional(),
  channelAccounts: z.record(z.string(), z.array(accountSchema)),
});

const TIMEOUT_MS = 60_000;

export type ChannelsRequest = {
  /** Of the snapshot. */
  readonly channels: readonly string[];
  readonly cli: ProductCli;
  readonly target: CliTarget;
};

export const channelLine = (name: string): Omit<CheckLine, 'ok' | 'found'> => ({
  check: `channel ${name}`,
  critical: false,
  expected: 'connected',
});

/** One line a channel. Plain text instead of JSON (a gateway that is down), or another shape, is not checked. */
export async function checkChannels(
  { cli, target, channels }: ChannelsRequest,
  signal: AbortSignal,
): Promise<CheckLine[]> {
  if (channels.length === 0) return [];
  const args = ['channels', 'status', '--json', '--probe'];
  const result = await cli.run(args, { target, timeoutMs: TIMEOUT_MS, signal });
  const parsed = statusSchema.safeParse(parseJsonOutput(result.stdout));
  const why = result.timedOut ? 'no answer in time' : 'not told';
  if (!parsed.success || parsed.data.gatewayReachable === false) {
    return channels.map((name) => notChecked(channelLine(name), why));
  }
  const { channelAccounts } = parsed.data;
  return channels.map((name) => lineOf(name, channelAccounts[name]));
}

/**
 * A login that did not arrive fails the move. A channel that only has no connection may have had none on the old
 * machine either: that is shown, and is for a person to judge.
 */
function lineOf(name: string, accounts: readonly Account[] | undefined): CheckLine {
  const line = channelLine(name);
  const enabled = (accounts ?? []).filter((account) => account.enabled !== false);
  if (enabled.length === 0) return notChecked(line, 'not told');
  const lost = enabled.map(lostLogin).find((one) => one !== undefined);
  if (lost !== undefined) return { ...line, critical: true, ok: false, found: lost };
  const broken = enabled.map(noConnection).find((one) => one !== undefined);
  return { ...line, ok: broken === undefined, found: broken ?? 'connected' };
}

function lostLogin({ configured, linked }: Account): string | undefined {
  if (linked === false) return 'not linked: link it again';
  return configured === false ? 'not configured: its token or login is not there' : undefined;
}

function noConnection(account: Account): string | undefined {
  const { running, connected, lastError, probe } = account;
  const why = (what: string, text: string | null | undefined): string =>
    text ? `${what}: ${text.split('\n')[0]?.slice(0, 200) ?? ''}` : what;
  if (probe?.ok === false) return why('probe failed', probe.error ?? lastError);
  if (connected === false) return why('not connected', lastError);
  return running === false ? why('not running', lastError) : undefined;
}
