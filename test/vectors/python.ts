/** A Python with what reader.py needs, in a virtual environment of its own outside the checkout. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const PYTHONS = ['python3.13', 'python3.12', 'python3.11', 'python3.14', 'python3', 'python'];
const MINOR_MIN = 10;

export type Python = {
  /** Runs a script of this folder; rejects when it fails. */
  run(
    script: string,
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<string>;
};

/** The Python, or why there is none. */
export async function findPythonForReader(): Promise<Python | { readonly absent: string }> {
  try {
    return pythonAt(await installEnvironment());
  } catch (error) {
    return { absent: `reader.py cannot run here: ${firstLine(error)}` };
  }
}

const pythonAt = (path: string): Python => ({
  run: async (script, args, env = {}) => {
    const file = join(import.meta.dirname, script);
    const words = ['-X', 'utf8', file, ...args];
    const { stdout } = await run(path, words, {
      env: { ...process.env, ...env, PYTHONDONTWRITEBYTECODE: '1' },
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return stdout;
  },
});

/** Made beside its place and renamed into it, so that one that was interrupted is never taken for a good one. */
async function installEnvironment(): Promise<string> {
  const python = await findPython();
  const digest = createHash('sha256')
    .update(readFileSync(REQUIREMENTS))
    .update(python.version)
    .digest('hex');
  const cache = process.env['STATEFERRY_TEST_CACHE'] ?? join(homedir(), '.cache/stateferry-test');
  const place = join(cache, `python-reader-${digest.slice(0, 12)}`);
  const inPlace = join(place, 'bin/python');
  if (existsSync(inPlace)) return inPlace;
  const partial = `${place}.${randomBytes(6).toString('hex')}.partial`;
  try {
    await mkdir(cache, { recursive: true });
    await run(python.path, ['-m', 'venv', partial], { timeout: INSTALL_TIMEOUT_MS });
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await run(join(partial, 'bin/python'), [...pip, '-r', REQUIREMENTS], {
      timeout: INSTALL_TIMEOUT_MS,
    });
    await rename(partial, place);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(inPlace)) throw error; // else another process was faster
  }
  return inPlace;
}

/** One that really runs and can make virtual environments: what is on PATH may be a shim that only says no. */
async function findPython(): Promise<{ readonly path: string; readonly version: string }> {
  for (const path of [...PYTHONS, ...pyenvPythons()]) {
    const version = await versionOf(path);
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major === 3 && minor >= MINOR_MIN) return { path, version };
  }
  throw new Error(`no Python 3.${MINOR_MIN} or newer that can make a virtual environment`);
}

async function versionOf(path: string): Promise<string> {
  const script = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
  try {
    const { stdout } = await run(path, ['-c', script], { timeout: 20_000 });
    return stdout.trim();
  } catch {
    return '';
  }
}

function pyenvPythons(): string[] {
  const versions = join(process.env['PYENV_ROOT'] ?? join(homedir(), '.pyenv'), 'versions');
  if (!existsSync(versions)) return [];
  const wanted = readdirSync(versions).filter((name) => /^3\.1\d/.test(name));
  return wanted.sort().map((name) => join(versions, name, 'bin/python3'));
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n').slice(0, 2).join(' ');
