/** The command that starts a gateway in the foreground, exactly as it is typed where no service does it. */
import type { Brand } from '../install/brands.ts';
import type { CliTarget } from '../product/product-cli.ts';

/** @param uid of the user whose gateway it is, when that is not who runs us */
export function startCommand(brand: Brand, target: CliTarget, uid: number | undefined): string {
  const { home, stateDir, configPath, profile } = target;
  const ofProfile = `${home}/${brand.stateDirName}${profile === 'default' ? '' : `-${profile}`}`;
  const isUsual = stateDir === ofProfile && configPath === `${stateDir}/${brand.configName}`;
  const variables = isUsual
    ? []
    : [
        `${brand.envPrefix}_STATE_DIR=${quoted(stateDir)}`,
        `${brand.envPrefix}_CONFIG_PATH=${quoted(configPath)}`,
      ];
  const sudo = uid === undefined ? [] : [`sudo -H -u '#${uid}'`];
  const named = isUsual && profile !== 'default' ? [`--profile ${quoted(profile)}`] : [];
  return [...sudo, ...variables, brand.command, ...named, 'gateway run'].join(' ');
}

const quoted = (text: string): string =>
  /^[\w./@%+:,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
