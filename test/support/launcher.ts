/**
 * A brand whose hyphen cannot stand in identifiers: no double of it can be made by substitution. A thin launcher maps
 * its variables and folders onto the real command instead.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Product } from './products.ts';

/** @param binDir where the launcher is written */
export function launched(original: Product, name: string, binDir: string): Product {
  const prefix = name.toUpperCase().replaceAll('-', '_');
  const product = { ...original, name, envPrefix: prefix, binDir, cliPath: join(binDir, name) };
  mkdirSync(binDir, { recursive: true });
  writeFileSync(product.cliPath, script(original, product));
  chmodSync(product.cliPath, 0o755);
  return product;
}

const script = (original: Product, { name, envPrefix }: Product): string => `#!/bin/sh
set -e
state=\${${envPrefix}_STATE_DIR:-$HOME/.${name}}
export ${original.envPrefix}_STATE_DIR="$state"
export ${original.envPrefix}_CONFIG_PATH="\${${envPrefix}_CONFIG_PATH:-$state/${name}.json}"
export ${original.envPrefix}_SKIP_CHANNELS="$${envPrefix}_SKIP_CHANNELS"
locks=\${TMPDIR:-/tmp}
mkdir -p -m 700 "$locks/${name}-$(id -u)"
[ -e "$locks/${original.name}-$(id -u)" ] ||
  ln -s "${name}-$(id -u)" "$locks/${original.name}-$(id -u)"
exec "${original.cliPath}" "$@"
`;
