/** What the product's commands get to know of this machine in a sandbox: nothing that leads out of it. */
import type { ProcessRunner } from '../process/run.ts';
import type { Brand } from '../gateway/brands.ts';
import { loadConfig, variablesIn } from '../gateway/config-text.ts';
import { movePath } from '../gateway/path-map.ts';
import { isAbsolutePath, isWithin } from '../gateway/paths.ts';
import { readFileIfAny } from '../gateway/read.ts';
import { configVariables } from '../gateway/variables.ts';
import type { Landing } from '../pull/landing.ts';

export type SandboxRun = {
  readonly brand: Brand | undefined;
  /** In the sandbox. */
  readonly temporary: string;
  /** More of them, once they are known. */
  variables(): Readonly<Record<string, string>>;
};

/** Nobody listens there: the gateway of this machine is not asked by a copy of one of its installs. */
const NO_PORT = '1';

export const sandboxedRunner =
  (run: ProcessRunner, { brand, temporary, variables }: SandboxRun): ProcessRunner =>
  (command, args, options) => {
    const prefixes = brand ? [brand.envPrefix, ...brand.legacyEnvPrefixes] : [];
    const kept = Object.entries(options.env).filter(([name]) => !leadsOut(name, prefixes));
    const env = {
      ...Object.fromEntries(kept),
      ...(brand && { [`${brand.envPrefix}_GATEWAY_PORT`]: NO_PORT }),
      // Some keep a log in a folder of a fixed name, wherever everything else is.
      ...(brand && { [`${brand.envPrefix}_LOG_LEVEL`]: 'silent' }),
      ...variables(),
      TMPDIR: temporary,
      TMP: temporary,
      TEMP: temporary,
    };
    return run(command, args, { ...options, env });
  };

/** What every command is told about the install that is meant. */
const MEANT = new Set(['STATE_DIR', 'CONFIG_PATH', 'PROFILE']);
const OF_THE_SESSION =
  /^(XDG_\w+|DBUS_\w+|TMPDIR|TMP|TEMP|NODE_COMPILE_CACHE|PI_CODING_AGENT_DIR)$/;

const leadsOut = (name: string, prefixes: readonly string[]): boolean =>
  OF_THE_SESSION.test(name) ||
  prefixes.some(
    (prefix) => name.startsWith(`${prefix}_`) && !MEANT.has(name.slice(prefix.length + 1)),
  );

/**
 * Beside those: paths that `.env` and the config have of the old machine, where the sandbox has them; and something for
 * what came from the old machine's shell, since a config with a variable that nothing sets is no config to the product.
 */
export function variablesOf(
  { placement, request, target }: Landing,
  sandbox: string,
): Record<string, string> {
  const { stateDir, configPath, map } = placement;
  const config = loadConfig(configPath, readFileIfAny);
  const install = { stateDir, home: target.home };
  const known = configVariables({ install, config, env: {} });
  const moved = Object.entries(known).flatMap(([name, value]) => {
    const isOld = isAbsolutePath(value) && !isWithin(sandbox, value);
    const to = isOld ? movePath(map, value) : undefined;
    return to === undefined ? [] : [[name, to] as const];
  });
  const unset = variablesIn(JSON.stringify(config.value)).filter(
    (name) => known[name] === undefined && request.site.env[name] === undefined && name !== 'HOME',
  );
  return {
    ...Object.fromEntries(unset.map((name) => [name, PLACEHOLDER])),
    ...Object.fromEntries(moved),
  };
}

const PLACEHOLDER = 'not-known-in-a-drill';
