/**
 * The real products, installed once into a cache outside the checkout:
 * `${STATEFERRY_TEST_CACHE:-~/.cache/stateferry-test}/products/<name>-<version>`.
 * Run directly to fill the cache: `node test/support/products.ts openclaw@2026.3.2 openclaw@2026.9.6`.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf } from '../../src/base/errors.ts';
import { runProcess } from '../../src/process/run.ts';

export type Product = {
  readonly name: string;
  readonly version: string;
  /** The name in what its gateway understands: `x-<name>-session-key`. */
  readonly apiName: string;
  /** Of its variables: `OPENCLAW` of `OPENCLAW_STATE_DIR`. */
  readonly envPrefix: string;
  /** Holds the command; put it on a test's PATH together with `nodeBinDir`. */
  readonly binDir: string;
  readonly cliPath: string;
  /** A Node that is new enough for every product (the one that runs the tests). */
  readonly nodeBinDir: string;
};

export type ProductAnswer =
  | { readonly product: Product; readonly reason?: undefined }
  | { readonly product?: undefined; readonly reason: string };

/** Old releases name a git+ssh dependency and one that no longer resolves; the registry has equals of both. */
const OVERRIDES: Readonly<Record<string, unknown>> = {
  libsignal: 'npm:libsignal-node@2.0.1',
  linkedom: { '.': '0.18.12', cssom: '^0.5.0' },
};
const NEEDS_OVERRIDES = new Set(['openclaw@2026.3.2', 'clawdbot@2026.1.24-3']);
const INSTALL_TIMEOUT_MS = 40 * 60_000;

/** The product, installed if need be; or why it cannot be had. Never throws for a missing registry. */
export async function ensureProduct(name: string, version: string): Promise<ProductAnswer> {
  const directory = join(productsFolder(), `${name}-${version}`);
  try {
    if (!existsSync(directory)) await install(name, version, directory);
    const installed: unknown = JSON.parse(
      await readFile(join(directory, 'node_modules', name, 'package.json'), 'utf8'),
    );
    if (!isRecord(installed) || installed['version'] !== version) {
      return { reason: `${directory} does not hold ${name}@${version}` };
    }
    const binDir = join(directory, 'node_modules', '.bin');
    return {
      product: {
        name,
        version,
        apiName: name,
        envPrefix: name.toUpperCase(),
        binDir,
        cliPath: join(binDir, name),
        nodeBinDir: dirname(process.execPath),
      },
    };
  } catch (error) {
    return { reason: `${name}@${version} cannot be installed: ${messageOf(error)}` };
  }
}

/** The same for a ring: installed only where the ring is required or the cache has it already (it takes minutes). */
export async function productOrAbsence(
  name: string,
  version: string,
  isWorthMinutes: boolean,
): Promise<ProductAnswer> {
  const cached = existsSync(join(productsFolder(), `${name}-${version}`));
  if (cached || isWorthMinutes) return ensureProduct(name, version);
  return {
    reason: `${name}@${version} is not installed; node test/support/products.ts ${name}@${version} does it`,
  };
}

export function productsFolder(): string {
  const cache = process.env['STATEFERRY_TEST_CACHE'] ?? join(homedir(), '.cache/stateferry-test');
  return join(cache, 'products');
}

/** Installs beside the final place and renames, so that a folder that exists is complete. */
async function install(name: string, version: string, directory: string): Promise<void> {
  await mkdir(dirname(directory), { recursive: true });
  const temporary = await mkdtemp(`${directory}.tmp-`);
  try {
    const manifest = {
      name: 'product-under-test',
      private: true,
      dependencies: { [name]: version },
      ...(NEEDS_OVERRIDES.has(`${name}@${version}`) ? { overrides: OVERRIDES } : {}),
    };
    await writeFile(join(temporary, 'package.json'), JSON.stringify(manifest));
    // npm picks dependency versions by the Node it runs on: it must be the one that will run the product.
    const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(':');
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
    const result = await runProcess('npm', ['install', ...flags], {
      cwd: temporary,
      env: { ...inheritedEnv(), PATH: path },
      timeoutMs: INSTALL_TIMEOUT_MS,
      signal: new AbortController().signal,
    });
    if (result.exit !== 0) throw new Error(`npm exit ${result.exit}: ${result.stderr.slice(-600)}`);
    await rename(temporary, directory);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    // Another test process may have been first.
    if (!existsSync(directory)) throw error;
  }
}

function inheritedEnv(): Record<string, string> {
  const pairs = Object.entries(process.env).filter((pair) => pair[1] !== undefined);
  return Object.fromEntries(pairs.map(([key, value]) => [key, value ?? '']));
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

if (import.meta.main) {
  for (const wanted of process.argv.slice(2)) {
    const at = wanted.lastIndexOf('@');
    const answer = await ensureProduct(wanted.slice(0, at), wanted.slice(at + 1));
    process.stdout.write(`${wanted}: ${answer.product?.cliPath ?? answer.reason}\n`);
    if (answer.product === undefined) process.exitCode = 1;
  }
}
