/** Puts the stand-in command of the sample into a folder. It says what it is wherever it speaks. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

export const STAND_IN_LABEL = 'stand-in of a sample, not the product';

export function writeStandIn(binDir: string, nodePath: string): void {
  mkdirSync(binDir, { recursive: true });
  const main = new URL(`./stand-in-main${extname(import.meta.filename)}`, import.meta.url);
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const script = [
    '#!/bin/sh',
    `# ${STAND_IN_LABEL}`,
    `exec ${quote(nodePath)} ${quote(fileURLToPath(main))} "$@"`,
    '',
  ];
  writeFileSync(`${binDir}/openclaw`, script.join('\n'), { mode: 0o755 });
}
