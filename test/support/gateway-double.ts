/**
 * A product command for tests: the sample's stand-in, with a gateway that really runs (a lock, a port, a page) and
 * with manners of its own. What it is told stands in the script that `writeGatewayDouble` makes.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type DoubleManners = {
  /** What `gateway stop` does: nothing and says so (no service manager), nothing and claims it, or asks systemctl. */
  readonly stop?: 'not-loaded' | 'claims' | 'systemctl';
  /** The gateway does not mind SIGTERM. */
  readonly ignoresTerm?: boolean;
  readonly lock?: boolean;
  /** `gateway install` writes a unit and asks systemctl, as the products do; else no service manager is there. */
  readonly hasSystemd?: boolean;
  /** Lists `--force` in the help of `gateway stop`, and stops nothing without it. */
  readonly wantsForce?: boolean;
  /** Answers of other commands by their words (`doctor`, `gateway status`); the stand-in has the rest. */
  readonly answers?: Readonly<Record<string, DoubleAnswer>>;
  /** A file that gets a line per command: its words. */
  readonly diary?: string;
};

export type DoubleAnswer = {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exit?: number;
  /** Prints so many bytes more. */
  readonly bytes?: number;
  /** Never ends, and starts a child that does not either. */
  readonly hangs?: boolean;
};

/** Puts the command into a folder of its own. */
export function writeGatewayDouble(
  binDir: string,
  manners: DoubleManners = {},
  name = 'openclaw',
): string {
  mkdirSync(binDir, { recursive: true });
  const path = join(binDir, name);
  const main = join(import.meta.dirname, 'gateway-double-child.ts');
  const script = [
    `#!${process.execPath}`,
    `process.argv.splice(2, 0, ${JSON.stringify(JSON.stringify(manners))});`,
    `import(${JSON.stringify(main)});`,
    '',
  ];
  writeFileSync(path, script.join('\n'), { mode: 0o755 });
  return path;
}

/** Where the products of March keep it. */
export function lockPathOf(configPath: string, temporary: string, uid: number): string {
  const hash = createHash('sha256').update(configPath).digest('hex').slice(0, 8);
  return join(temporary, `openclaw-${uid}`, `gateway.${hash}.lock`);
}
