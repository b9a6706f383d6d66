/** Values that `${VAR}` of a config can have: the process's own, then `.env`, then the config's `env.vars` block. */
import { readFileIfAny } from '../disk/read.ts';
import type { ReadFile } from '../disk/read.ts';
import type { Install } from '../install/install.ts';
import type { LoadedConfig } from './config-text.ts';
import { isObject, valueAt } from './config-text.ts';

export function configVariables(input: {
  readonly install: Pick<Install, 'stateDir' | 'home'>;
  readonly config: LoadedConfig;
  readonly env: Readonly<Record<string, string>>;
  readonly read?: ReadFile;
}): Record<string, string> {
  const read = input.read ?? readFileIfAny;
  const fromConfig = valueAt(input.config.value, ['env', 'vars']);
  const texts = isObject(fromConfig)
    ? Object.entries(fromConfig).filter(
        (pair): pair is [string, string] => typeof pair[1] === 'string',
      )
    : [];
  const dotenv = read(`${input.install.stateDir}/.env`);
  return {
    ...Object.fromEntries(texts),
    ...(dotenv === undefined ? {} : parseDotenv(dotenv.toString('utf8'))),
    ...input.env,
  };
}

/** `NAME=value` lines as dotenv reads them: `export`, comments, single, double and back quotes. */
export function parseDotenv(text: string): Record<string, string> {
  const values: Record<string, string> = {};
  const value = [
    String.raw`'((?:\\'|[^'])*)'`,
    String.raw`"((?:\\"|[^"])*)"`,
    '`((?:\\\\`|[^`])*)`',
    String.raw`([^#\r\n]*)`,
  ];
  const name = String.raw`^[ \t]*(?:export[ \t]+)?([\w.-]+)[ \t]*[=:][ \t]*`;
  const line = new RegExp(`${name}(?:${value.join('|')})?`, 'gm');
  for (const match of text.matchAll(line)) {
    const [, key = '', single, double, back, bare] = match;
    const unescaped = double?.replaceAll('\\n', '\n').replaceAll('\\r', '\r');
    values[key] = single ?? unescaped ?? back ?? (bare ?? '').trim();
  }
  return values;
}
