/** `demo --real`: a published command of the family, installed once into the cache. */
import { dirname, join } from 'node:path';
import { FerryError } from '../../base/errors.ts';
import { runProcess } from '../../process/run.ts';
import { tellingRunner } from '../../process/under-way.ts';
import { installOnce } from '../../settings/product-folder.ts';
import { variablesForOthers } from '../../settings/environment.ts';
import type { Session } from '../session.ts';

export type RealProduct = {
  /** `openclaw@2026.3.2`. */
  readonly version: string;
  readonly path: readonly string[];
};

/** The version whose layout the sample has. */
const DEFAULT_PRODUCT = 'openclaw@2026.3.2';
/** Old releases name two dependencies in ways that no longer resolve; the registry has equals of both. */
const OVERRIDES = {
  libsignal: 'npm:libsignal-node@2.0.1',
  linkedom: { '.': '0.18.12', cssom: '^0.5.0' },
};
const INSTALL_TIMEOUT_MS = 40 * 60_000;

export async function productFor(session: Session, typed: unknown): Promise<RealProduct> {
  const wanted = typeof typed === 'string' ? typed : DEFAULT_PRODUCT;
  const match = /^(openclaw)@(\d{4}\.\d+\.\d+[\w.-]*)$/.exec(wanted);
  const [, name, version] = match ?? [];
  if (name === undefined || version === undefined) {
    throw new FerryError('usage', `demo --real cannot use ${wanted}`, {
      hint: `The sample is an openclaw: name a version of that, as ${DEFAULT_PRODUCT}.`,
    });
  }
  const folder = join(session.places.cacheFolder, 'products', `${name}-${version}`);
  await installOnce(folder, manifestOf(name, version), session.environment, (at) => {
    session.output.step(`Installing ${wanted} into ${folder} (once; this takes minutes)`);
    return npmInstall(session, at, wanted);
  });
  // The command runs on the Node that runs us: the one that it was installed with.
  const path = [join(folder, 'node_modules', '.bin'), dirname(process.execPath)];
  return { version: wanted, path };
}

const manifestOf = (name: string, version: string): unknown => ({
  name: 'stateferry-demo-product',
  private: true,
  dependencies: { [name]: version },
  ...(version.startsWith('2026.3.') && { overrides: OVERRIDES }),
});

async function npmInstall(session: Session, cwd: string, wanted: string): Promise<void> {
  const env = variablesForOthers(session.environment);
  const path = [dirname(process.execPath), env['PATH'] ?? ''].join(':');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const run = tellingRunner(runProcess, session.clock, session.emit);
  const result = await run('npm', ['install', ...flags], {
    cwd,
    env: { ...env, PATH: path },
    timeoutMs: INSTALL_TIMEOUT_MS,
    signal: session.signal,
  });
  if (result.exit === 0) return;
  throw new FerryError(
    'cli-missing',
    `npm could not install ${wanted}: ${lastLine(result.stderr)}`,
    {
      hint: 'stateferry demo without --real needs no network.',
    },
  );
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
