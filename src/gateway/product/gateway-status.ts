/** What the product's command says about its gateway and service: a second opinion, see running/running.ts. */
import { z } from 'zod';
import { parseJsonOutput } from './answer.ts';
import type { CliTarget, ProductCli } from './product-cli.ts';

const place = z.object({ path: z.string().optional() }).optional();
const statusSchema = z.object({
  service: z.object({ loaded: z.boolean().optional() }).optional(),
  config: z.object({ cli: place, daemon: place }).optional(),
  gateway: z.object({ port: z.int().optional() }).optional(),
});

export type GatewayStatus = {
  /** The config that the command reads, and the one that its service reads. */
  readonly cliConfig: string | undefined;
  readonly serviceConfig: string | undefined;
  readonly serviceLoaded: boolean;
  /** That its gateway would listen on. */
  readonly port: number | undefined;
};

/** It asks nobody, so it is quick also where the gateway is down. */
const STATUS_ARGS = ['gateway', 'status', '--json', '--no-probe'];
const STATUS_TIMEOUT_MS = 120_000;

export async function gatewayStatus(
  cli: ProductCli,
  request: { readonly target: CliTarget; readonly signal: AbortSignal },
): Promise<GatewayStatus | undefined> {
  const result = await cli.run(STATUS_ARGS, { ...request, timeoutMs: STATUS_TIMEOUT_MS });
  const parsed = statusSchema.safeParse(parseJsonOutput(result.stdout));
  if (!parsed.success) return undefined;
  const { config, service, gateway } = parsed.data;
  return {
    cliConfig: config?.cli?.path,
    serviceConfig: config?.daemon?.path,
    serviceLoaded: service?.loaded === true,
    port: gateway?.port,
  };
}
