/**
 * The product's own answer about an install. Its commands take seconds and write into the state dir, so a push keeps
 * what it was told for as long as neither the config nor the command changes.
 */
import { z } from 'zod';
import { FerryError } from '../../base/errors.ts';
import type { AgentPlaces } from '../config/agents.ts';
import type { LoadedConfig } from '../config/config-text.ts';
import { realPath, statIfAny } from '../disk/read.ts';
import type { Brand } from '../install/brands.ts';
import type { Evidence, Notice } from '../install/install.ts';
import { commandOnPath } from '../product/on-path.ts';
import { findProductCli } from '../product/product-cli.ts';
import type { CliDeps, CliTarget, ProductCli } from '../product/product-cli.ts';
import { askAgents } from './agents-list.ts';
import { askStatus } from './product-status.ts';

export type AskDeps = CliDeps & {
  /** `all`: agents, status and service. `agents`: those, unless remembered. `remembered`: nothing is run. */
  readonly about: 'all' | 'agents' | 'remembered';
  readonly memory?: AnswerMemory;
};

/** Where answers are kept from one run to the next; whatever it gives back is checked. */
export type AnswerMemory = {
  readonly recall: (configPath: string) => unknown;
  readonly remember: (configPath: string, answer: object) => void;
};

export type ProductAnswer = {
  readonly version: string | undefined;
  readonly agents: readonly AgentPlaces[];
  readonly why: readonly Evidence[];
  readonly notices: readonly Notice[];
  /** Absent in an answer that was remembered. */
  readonly cli?: ProductCli;
};

export type Question = {
  readonly brand: Brand;
  readonly target: CliTarget;
  readonly config: LoadedConfig;
  readonly agents: readonly AgentPlaces[];
  readonly mode: 'local' | 'remote';
  /** As the config has it. */
  readonly port: number;
  readonly signal: AbortSignal;
};

/** Undefined where there is no such command. */
export async function askProduct(
  question: Question,
  deps: AskDeps,
): Promise<ProductAnswer | undefined> {
  const { brand, target, signal, agents: read, mode, port } = question;
  const path = commandOnPath(brand.command, deps.env['PATH'] ?? '');
  if (path === undefined) return undefined;
  const asOf = stateOf(question.config, path);
  const known = deps.about === 'all' ? undefined : recalled(deps, target.configPath, asOf);
  if (known !== undefined || deps.about === 'remembered') return known;
  const cli = await startable(question, deps);
  if (cli === undefined) return undefined;
  if (!('run' in cli)) return { version: undefined, agents: read, why: [], notices: [cli] };
  const listed = await askAgents(cli, { target, signal, read, home: target.home });
  const { version } = cli;
  const { agents } = listed;
  deps.memory?.remember(target.configPath, { asOf, version: version ?? null, ...listed });
  if (deps.about !== 'all') return { version, cli, ...listed };
  const status = await askStatus(cli, { target, signal, read: { agents, mode, port } });
  return {
    version,
    cli,
    agents,
    why: [...listed.why, ...status.why],
    notices: [...listed.notices, ...status.notices],
  };
}

/** A command that the owner of the gateway may not run says nothing, which is told; we go by the config then. */
async function startable(
  { brand, target, signal }: Question,
  deps: AskDeps,
): Promise<ProductCli | Notice | undefined> {
  try {
    return await findProductCli(brand, deps, { target, signal });
  } catch (error) {
    if (!(error instanceof FerryError) || error.code !== 'gateway-command') throw error;
    return { code: 'cli-no-answer', message: `${error.message}; the config was read instead` };
  }
}

const agentSchema = z.object({
  id: z.string(),
  isDefault: z.boolean(),
  workspace: z.string(),
  agentDir: z.string(),
  sessionsDir: z.string(),
});

const rememberedSchema = z.object({
  asOf: z.string(),
  version: z.string().nullable(),
  agents: z.array(agentSchema).readonly(),
  why: z.array(z.object({ source: z.literal('cli'), detail: z.string() })).readonly(),
  notices: z.array(z.object({ code: z.string(), message: z.string() })).readonly(),
});

function recalled(deps: AskDeps, configPath: string, asOf: string): ProductAnswer | undefined {
  const known = rememberedSchema.safeParse(deps.memory?.recall(configPath)).data;
  if (known?.asOf !== asOf) return undefined;
  const { version, agents, why, notices } = known;
  return { version: version ?? undefined, agents, why, notices };
}

/** What an answer rests on: the command and every file of the config, as they are now. */
function stateOf(config: LoadedConfig, command: string): string {
  const files = [realPath(command), ...config.files.map(({ path }) => path)];
  return files
    .map((path) => {
      const stats = statIfAny(path);
      return `${path}:${stats?.size ?? 0}:${stats?.mtimeMs ?? 0}`;
    })
    .join('\n');
}
