/** Service files that start a gateway: read for what they tell, never copied. */
import { fillTemplate } from './brands.ts';
import type { Brand } from './brands.ts';
import type { ServiceInfo } from './install.ts';
import { namesIn, readFileIfAny } from './read.ts';

export type FoundService = ServiceInfo & {
  /** What the service sets; values stay in memory, only names are ever recorded. */
  readonly environment: Readonly<Record<string, string>>;
};

/** Services of a brand in a user's home; for the default profile and all others. */
export function servicesOf(brand: Brand, home: string): FoundService[] {
  return [...systemdServices(brand, home), ...launchdServices(brand, home)];
}

/** Names of variables that a person added to a service: they exist nowhere else and do not travel by themselves. */
export function foreignNames(service: ServiceInfo, brand: Brand): string[] {
  const known = /^(HOME|PATH|TMPDIR|USER|LOGNAME|SHELL|LANG|LC_\w+|NODE_\w+|XDG_\w+|PWD)$/;
  const prefixes = [brand.envPrefix, ...brand.legacyEnvPrefixes];
  return service.environmentNames.filter(
    (name) => !known.test(name) && !prefixes.some((prefix) => name.startsWith(`${prefix}_`)),
  );
}

const SYSTEMD_FOLDER = '.config/systemd/user';
const LAUNCHD_FOLDER = 'Library/LaunchAgents';

function systemdServices(brand: Brand, home: string): FoundService[] {
  const folder = `${home}/${SYSTEMD_FOLDER}`;
  const names = namesIn(folder);
  return names
    .filter((name) => name.endsWith('.service') && isOf(brand.systemdUnits, name.slice(0, -8)))
    .map((name) => {
      const path = `${folder}/${name}`;
      const dropIns = namesIn(`${path}.d`).filter((one) => one.endsWith('.conf'));
      const texts = [path, ...dropIns.map((one) => `${path}.d/${one}`)].map(textOf);
      return service('systemd', name, path, parseUnitEnvironment(texts.join('\n')));
    });
}

function launchdServices(brand: Brand, home: string): FoundService[] {
  const folder = `${home}/${LAUNCHD_FOLDER}`;
  return namesIn(folder)
    .filter((name) => name.endsWith('.plist') && isOf(brand.launchdLabels, name.slice(0, -6)))
    .map((name) => {
      const path = `${folder}/${name}`;
      return service('launchd', name, path, parsePlistEnvironment(textOf(path)));
    });
}

function service(
  kind: FoundService['kind'],
  name: string,
  path: string,
  environment: Readonly<Record<string, string>>,
): FoundService {
  return { kind, name, path, environment, environmentNames: Object.keys(environment).toSorted() };
}

const textOf = (path: string): string => readFileIfAny(path)?.toString('utf8') ?? '';

/** Does a name follow one of the patterns, for the default profile or any other? */
function isOf(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    const marker = '\u0001';
    const filled = fillTemplate(pattern, { profile: marker });
    const [before = '', after = ''] = filled.split(/-?\u0001/);
    const middle = name.slice(before.length, name.length - after.length);
    const fits = name.startsWith(before) && name.endsWith(after);
    if (!filled.includes(marker)) return name === filled;
    return fits && /^(-?[A-Za-z0-9_-]+)?$/.test(middle);
  });
}

/** `Environment=` lines of a systemd unit: several assignments a line, quoted or not. */
export function parseUnitEnvironment(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  for (const line of text.matchAll(/^[ \t]*Environment=(.*)$/gm)) {
    const assignments = /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\S+)/g;
    for (const part of (line[1] ?? '').matchAll(assignments)) {
      const text = part[1] ?? part[2] ?? part[3] ?? '';
      const equals = text.indexOf('=');
      if (equals > 0) values[text.slice(0, equals)] = text.slice(equals + 1).replaceAll('%%', '%');
    }
  }
  return values;
}

/** The EnvironmentVariables dictionary of a launchd property list in XML. */
export function parsePlistEnvironment(text: string): Record<string, string> {
  const block = /<key>EnvironmentVariables<\/key>\s*<dict>([^]*?)<\/dict>/.exec(text)?.[1] ?? '';
  const pairs = [...block.matchAll(/<key>([^<]*)<\/key>\s*<string>([^<]*)<\/string>/g)];
  return Object.fromEntries(pairs.map((pair) => [pair[1] ?? '', unescapeXml(pair[2] ?? '')]));
}

const unescapeXml = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
