/** The rest of what the product says of an install, held against our own reading; every disagreement is told. */
import { z } from 'zod';
import type { AgentPlaces } from '../config/agents.ts';
import { normalizeAgentId } from '../config/agents.ts';
import type { Evidence, Notice } from '../install/install.ts';
import { parseJsonOutput } from '../product/answer.ts';
import { gatewayStatus } from '../product/gateway-status.ts';
import type { CliTarget, ProductCli } from '../product/product-cli.ts';

export type OwnReading = {
  readonly agents: readonly AgentPlaces[];
  readonly mode: 'local' | 'remote';
  readonly port: number;
};

export type StatusRequest = {
  readonly target: CliTarget;
  readonly signal: AbortSignal;
  readonly read: OwnReading;
};

export type StatusAnswer = {
  readonly why: readonly Evidence[];
  readonly notices: readonly Notice[];
};

/** The newest generation waits a minute for a gateway that is down, unless told how long it may. */
const STATUS_ARGUMENTS = ['status', '--json', '--timeout', '5000'];
const STATUS_TIMEOUT_MS = 120_000;

export async function askStatus(cli: ProductCli, request: StatusRequest): Promise<StatusAnswer> {
  const { target, signal, read } = request;
  const command = `${cli.brand.command} status --json`;
  const result = await cli.run(STATUS_ARGUMENTS, { target, timeoutMs: STATUS_TIMEOUT_MS, signal });
  const said = statusSchema.safeParse(parseJsonOutput(result.stdout)).data;
  const gateway = await gatewayStatus(cli, { target, signal });
  const notices = [
    ...(said === undefined ? [] : statusDisagreements(command, said, read)),
    ...(gateway === undefined ? [] : serviceDisagreements(cli, gateway, request)),
  ];
  return { why: said === undefined ? [] : [{ source: 'cli', detail: command }], notices };
}

/** September's generation says `[redacted]` for some: that is no other place. */
const saidPath = z
  .string()
  .transform((text) => (text.startsWith('/') ? text : undefined))
  .nullish();

const statusSchema = z.object({
  gateway: z.object({ mode: z.string().optional() }).optional(),
  agents: z
    .object({
      agents: z.array(
        z.object({
          id: z.string(),
          workspaceDir: saidPath,
          sessionsPath: saidPath,
        }),
      ),
    })
    .optional(),
});

function statusDisagreements(
  command: string,
  said: z.infer<typeof statusSchema>,
  read: OwnReading,
): Notice[] {
  const differ = (what: string, theirs: string | null | undefined, ours: string): Notice[] =>
    theirs === undefined || theirs === null || theirs === ours
      ? []
      : [disagreement(what, command, theirs, ours)];
  const own = new Map(read.agents.map((agent) => [agent.id, agent]));
  const ofAgents = (said.agents?.agents ?? []).flatMap(({ id, workspaceDir, sessionsPath }) => {
    const agent = own.get(normalizeAgentId(id));
    if (agent === undefined) return differ(`agent ${id}`, 'it is there', 'not there');
    const folder = sessionsPath?.replace(/\/[^/]*$/, '');
    // The newest generation keeps them in the agent's own database.
    const sessionsDir = folder === agent.agentDir ? agent.agentDir : agent.sessionsDir;
    return [
      ...differ(`workspace of agent ${id}`, workspaceDir, agent.workspace),
      ...differ(`sessions of agent ${id}`, folder, sessionsDir),
    ];
  });
  return [...differ('mode', said.gateway?.mode, read.mode), ...ofAgents];
}

function serviceDisagreements(
  cli: ProductCli,
  said: NonNullable<Awaited<ReturnType<typeof gatewayStatus>>>,
  { target, read }: StatusRequest,
): Notice[] {
  const command = `${cli.brand.command} gateway status --json`;
  const { cliConfig, serviceConfig, serviceLoaded, port } = said;
  const config = [cliConfig, serviceLoaded ? serviceConfig : undefined].find(
    (path) => path !== undefined && path !== target.configPath,
  );
  return [
    ...(config === undefined ? [] : [disagreement('config', command, config, target.configPath)]),
    ...(port === undefined || port === read.port
      ? []
      : [disagreement('port', command, String(port), String(read.port))]),
  ];
}

export const disagreement = (
  what: string,
  command: string,
  theirs: string,
  ours: string,
): Notice => ({
  code: 'cli-disagrees',
  message: `${what}: ${command} says ${theirs}, the config reads as ${ours}`,
});
