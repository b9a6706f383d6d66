/** What the product's commands get to know of this machine in a sandbox: nothing that leads out of it. */
import type { ProcessRunner } from '../process/run.ts';
import { loadConfig, variablesIn } from '../gateway/config/config-text.ts';
import { configVariables } from '../gateway/config/variables.ts';
import { isAbsolutePath, isWithin } from '../gateway/disk/paths.ts';
import { readFileIfAny } from '../gateway/disk/read.ts';
import type { Brand } from '../gateway/install/brands.ts';
import { movePath } from '../gateway/relocate/path-map.ts';
import { isStandardName } from '../gateway/services/services.ts';
import type { Landing } from '../pull/plan/landing.ts';

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
    const kept = Object.entries(options.env).filter(([name]) => !leadsOut(name, brand));
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
const MEANT = ['STATE_DIR', 'CONFIG_PATH', 'PROFILE'];
const OF_THE_SESSION =
  /^(XDG_\w+|DBUS_\w+|TMPDIR|TMP|TEMP|NODE_COMPILE_CACHE|PI_CODING_AGENT_DIR)$/;

function leadsOut(name: string, brand: Brand | undefined): boolean {
  if (OF_THE_SESSION.test(name)) return true;
  if (brand === undefined || MEANT.some((one) => name === `${brand.envPrefix}_${one}`))
    return false;
  return [brand.envPrefix, ...brand.legacyEnvPrefixes].some((one) => name.startsWith(`${one}_`));
}

/**
 * Beside those: paths of the old machine that the config reaches by way of variables, where the sandbox has them; and
 * something for what came from the old machine's shell, since a config with a variable that nothing sets is no config
 * to the product.
 */
export function variablesOf(
  { placement, request, target, brand }: Landing,
  sandbox: string,
): Record<string, string> {
  const { stateDir, configPath, map } = placement;
  const config = loadConfig(configPath, readFileIfAny);
  const named = variablesIn(JSON.stringify(config.value));
  const ofCaller = Object.entries(request.site.env).filter(([name]) => named.includes(name));
  const install = { stateDir, home: target.home };
  const known = configVariables({ install, config, env: Object.fromEntries(ofCaller) });
  const moved = Object.entries(known).flatMap(([name, value]) => {
    const isOld =
      isAbsolutePath(value) && !isWithin(sandbox, value) && !isStandardName(name, brand);
    const to = isOld ? movePath(map, value) : undefined;
    return to === undefined ? [] : [[name, to] as const];
  });
  const unset = named.filter((name) => known[name] === undefined && name !== 'HOME');
  return {
    ...Object.fromEntries(unset.map((name) => [name, PLACEHOLDER])),
    ...Object.fromEntries(moved),
  };
}

const PLACEHOLDER = 'not-known-in-a-drill';
