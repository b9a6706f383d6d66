/** What a snapshot keeps of its gateway, beside the files: enough to place, relocate and check it elsewhere. */
import { z } from 'zod';
import { showPath } from '../../base/byte-path.ts';
import { countsSchema } from './counts.ts';
import type { InstallCounts } from './counts.ts';
import type { Install } from './install.ts';
import type { Root } from './root.ts';

const text = z.string().max(20_000);

export const gatewayRecordSchema = z.object({
  home: text,
  stateDir: text,
  configPath: text,
  mode: z.enum(['local', 'remote']),
  port: z.int(),
  /** What last wrote the config: a target's command must not be older. */
  configVersion: text.nullable(),
  cliVersion: text.nullable(),
  /** Was it running while it was captured? */
  running: z.boolean(),
  agents: z.array(
    z.object({
      id: text,
      isDefault: z.boolean(),
      workspace: text,
      agentDir: text,
      sessionsDir: text,
    }),
  ),
  channels: z.array(text),
  /** Before and after the capture: a running gateway may have gone on in between. */
  countsBefore: countsSchema,
  countsAfter: countsSchema,
  service: z
    .object({
      kind: z.enum(['systemd', 'launchd', 'scheduled-task']),
      name: text,
      environmentNames: z.array(text),
    })
    .nullable(),
  /** By name of the root; paths escaped as `showPath` does. */
  roots: z.array(
    z.object({
      name: text,
      kind: z.enum(['state', 'agent', 'workspace', 'include', 'credentials', 'data', 'shared']),
      path: text,
      aliases: z.array(text),
      links: z.array(text).exactOptional(),
      only: z.array(text).nullable(),
    }),
  ),
});
export type GatewayRecord = z.infer<typeof gatewayRecordSchema>;

export type RecordParts = {
  readonly install: Install;
  readonly roots: readonly Root[];
  readonly countsBefore: InstallCounts;
  readonly countsAfter: InstallCounts;
};

export function gatewayRecord(parts: RecordParts): GatewayRecord {
  const { install, roots, countsBefore, countsAfter } = parts;
  return {
    home: install.home,
    stateDir: install.stateDir,
    configPath: install.configPath,
    mode: install.mode,
    port: install.port,
    configVersion: install.configVersion ?? null,
    cliVersion: install.cliVersion ?? null,
    running: install.running,
    agents: install.agents.map(({ id, isDefault, workspace, agentDir, sessionsDir }) => ({
      id,
      isDefault,
      workspace,
      agentDir,
      sessionsDir,
    })),
    channels: [...install.channels],
    countsBefore,
    countsAfter,
    service: install.service === undefined ? null : serviceRecord(install.service),
    roots: roots.map((root) => ({
      name: root.name,
      kind: root.kind,
      path: showPath(root.path),
      aliases: root.aliases.map(showPath),
      ...(root.links && { links: root.links.map(showPath) }),
      only: root.only === undefined ? null : root.only.map(showPath),
    })),
  };
}

function serviceRecord(service: NonNullable<Install['service']>): GatewayRecord['service'] {
  const { kind, name, environmentNames } = service;
  return { kind, name, environmentNames: [...environmentNames] };
}
