/** What the product itself says of its agents, held against our own reading; every disagreement is told. */
import { z } from 'zod';
import type { AgentPlaces } from '../config/agents.ts';
import { normalizeAgentId } from '../config/agents.ts';
import { expandTilde, isAbsolutePath, normalizePath } from '../disk/paths.ts';
import type { Evidence, Notice } from '../install/install.ts';
import { parseJsonOutput } from '../product/answer.ts';
import type { CliTarget, ProductCli } from '../product/product-cli.ts';
import { disagreement } from './product-status.ts';

export type AgentsAnswer = {
  readonly agents: readonly AgentPlaces[];
  readonly why: readonly Evidence[];
  readonly notices: readonly Notice[];
};

type Request = {
  readonly target: CliTarget;
  readonly signal: AbortSignal;
  readonly read: readonly AgentPlaces[];
  readonly home: string;
};

const AGENTS_TIMEOUT_MS = 120_000;

export async function askAgents(cli: ProductCli, request: Request): Promise<AgentsAnswer> {
  const { target, signal, read, home } = request;
  const command = `${cli.brand.command} agents list --json`;
  const result = await cli.run(['agents', 'list', '--json'], {
    target,
    timeoutMs: AGENTS_TIMEOUT_MS,
    signal,
  });
  const parsed = agentsSchema.safeParse(parseJsonOutput(result.stdout));
  if (!parsed.success) {
    const how = result.timedOut ? 'took too long' : `gave no list (exit ${result.exit})`;
    const message = `${command} ${how}; the config was read instead`;
    return { agents: read, why: [], notices: [{ code: 'cli-no-answer', message }] };
  }
  const known = new Map(read.map((agent) => [agent.id, agent]));
  const agents = parsed.data.map((said): AgentPlaces => {
    const id = normalizeAgentId(said.id);
    const own = known.get(id);
    const path = (text: string | undefined, fallback: string): string => {
      const absolute = text === undefined ? fallback : expandTilde(text, home);
      return isAbsolutePath(absolute) ? normalizePath(absolute) : fallback;
    };
    const agentDir = `${target.stateDir}/agents/${id}/agent`;
    return {
      id,
      isDefault: said.isDefault ?? own?.isDefault ?? false,
      workspace: path(said.workspace, own?.workspace ?? `${target.stateDir}/workspace`),
      agentDir: path(said.agentDir, own?.agentDir ?? agentDir),
      sessionsDir: own?.sessionsDir ?? `${target.stateDir}/agents/${id}/sessions`,
    };
  });
  return {
    agents: agents.toSorted((a, b) => Number(b.isDefault) - Number(a.isDefault)),
    why: [{ source: 'cli', detail: command }],
    notices: disagreements(command, read, agents),
  };
}

const agentsSchema = z.array(
  z.object({
    id: z.string(),
    workspace: z.string().optional(),
    agentDir: z.string().optional(),
    isDefault: z.boolean().optional(),
  }),
);

function disagreements(
  command: string,
  read: readonly AgentPlaces[],
  said: readonly AgentPlaces[],
): Notice[] {
  const differ = (what: string, theirs: string, ours: string): Notice =>
    disagreement(what, command, theirs, ours);
  const ours = new Map(read.map((agent) => [agent.id, agent]));
  const theirs = new Set(said.map((agent) => agent.id));
  return [
    ...said.flatMap((agent) => {
      const own = ours.get(agent.id);
      if (own === undefined) return [differ(`agent ${agent.id}`, 'it is there', 'not there')];
      return (['workspace', 'agentDir'] as const).flatMap((key) =>
        own[key] === agent[key]
          ? []
          : [differ(`${key} of agent ${agent.id}`, agent[key], own[key])],
      );
    }),
    ...read.flatMap((agent) =>
      theirs.has(agent.id) ? [] : [differ(`agent ${agent.id}`, 'it is not there', 'there')],
    ),
  ];
}
