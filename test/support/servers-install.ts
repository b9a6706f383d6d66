/**
 * Installs test servers once per machine, outside the checkout. An installation is made beside its place and renamed
 * into it, so that one that was killed is never taken for a good one.
 */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const VERSITYGW_VERSION = '1.7.0';
const LOCALSTACK_VERSION = '4.14.0';
const LOCALSTACK = join(import.meta.dirname, '../../localstack');
/** S3 alone, or everything that a template needs. */
const REQUIREMENTS = {
  localstack: ['requirements.txt'],
  'localstack-runtime': ['requirements.txt', 'requirements-runtime.txt'],
} as const;
/** LocalStack 4.14.0 imports what Python has since 3.13 only. A line of a .pth file that begins with import is run. */
const DEPRECATED_FOR_3_12 =
  'import warnings, typing_extensions; vars(warnings).setdefault("deprecated", typing_extensions.deprecated)\n';
const INSTALL_TIMEOUT_MS = 20 * 60_000;
const PYTHONS = ['python3.13', 'python3.12', 'python3.14', 'python3', 'python'];

/** The python of a virtual environment with LocalStack in it. Throws, with a reason, where it cannot be had. */
export async function installLocalStack(kind: keyof typeof REQUIREMENTS): Promise<string> {
  const files = REQUIREMENTS[kind].map((file) => join(LOCALSTACK, file));
  const python = await findPython();
  const hash = createHash('sha256');
  for (const file of files) hash.update(await readFile(file));
  const digest = hash.update(python.version).update(DEPRECATED_FOR_3_12).digest('hex');
  const place = join(cacheFolder(), `${kind}-${LOCALSTACK_VERSION}-${digest.slice(0, 12)}`);
  // Scripts of a virtual environment name its first path, but its python finds its packages from anywhere.
  await installOnce(place, async (folder) => {
    await run(python.path, ['-m', 'venv', folder], { timeout: INSTALL_TIMEOUT_MS });
    const pip = [
      '-m',
      'pip',
      'install',
      '--quiet',
      '--disable-pip-version-check',
      ...files.flatMap((file) => ['-r', file]),
    ];
    await run(join(folder, 'bin/python'), pip, { timeout: INSTALL_TIMEOUT_MS });
    const packages = join(folder, `lib/python${python.version}/site-packages`);
    await writeFile(join(packages, 'stateferry-test.pth'), DEPRECATED_FOR_3_12);
  });
  return join(place, 'bin/python');
}

/** The versitygw program, built by the Go that is here. */
export const installVersitygw = (): Promise<string> =>
  installGoProgram(
    'versitygw',
    VERSITYGW_VERSION,
    `github.com/versity/versitygw/cmd/versitygw@v${VERSITYGW_VERSION}`,
  );

/** The last of MinIO: it is given out as source only, and no release has a name that Go knows. */
const MINIO_VERSION = 'v0.0.0-20260212201848-7aac2a2c5b7c';
const MINIO = `minio-${MINIO_VERSION}`;

/** Building it takes four minutes of two cores. */
export const hasMinio = (): boolean => existsSync(join(cacheFolder(), MINIO));

export const installMinio = (): Promise<string> =>
  installGoProgram('minio', MINIO_VERSION, `github.com/minio/minio@${MINIO_VERSION}`);

/** What users and their rights are set with. */
const MINIO_CLIENT_VERSION = 'v0.0.0-20250313080218-cf909e1063a9';

export const hasMinioClient = (): boolean =>
  existsSync(join(cacheFolder(), `mc-${MINIO_CLIENT_VERSION}`));

export const installMinioClient = (): Promise<string> =>
  installGoProgram('mc', MINIO_CLIENT_VERSION, `github.com/minio/mc@${MINIO_CLIENT_VERSION}`);

async function installGoProgram(name: string, version: string, target: string): Promise<string> {
  const place = join(cacheFolder(), `${name}-${version}`);
  await installOnce(place, async (folder) => {
    const env = { ...process.env, CGO_ENABLED: '0', GOBIN: folder };
    await run('go', ['install', '-ldflags=-s -w', target], { env, timeout: INSTALL_TIMEOUT_MS });
  });
  return join(place, name);
}

export function cacheFolder(): string {
  return process.env['STATEFERRY_TEST_CACHE'] ?? join(homedir(), '.cache/stateferry-test');
}

/** @param install fills a folder beside the place, which becomes the place once it is whole */
export async function installOnce(
  place: string,
  install: (folder: string) => Promise<void>,
): Promise<void> {
  await mkdir(cacheFolder(), { recursive: true });
  const lock = `${place}.lock`;
  while (!existsSync(place)) {
    if (!(await takeLock(lock))) {
      await sleep(200);
      continue;
    }
    const folder = `${place}.${randomBytes(6).toString('hex')}.partial`;
    try {
      await mkdir(folder);
      await install(folder);
      await rename(folder, place);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      if (!existsSync(place)) throw error; // else another process was faster
    } finally {
      await rm(lock, { force: true });
    }
  }
}

/** False while a living process holds it. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, `${process.pid}`, { flag: 'wx' });
    return true;
  } catch {
    const pid = Number(await readFile(lock, 'utf8').catch(() => '0'));
    const ageMs = Date.now() - (await stat(lock).catch(() => ({ mtimeMs: 0 }))).mtimeMs;
    const isFresh = pid === 0 && ageMs < 5_000; // made, and not yet written to
    if (!isFresh && !isAlive(pid)) await rm(lock, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

type Python = { readonly path: string; readonly version: string };

/** One that really runs and can make virtual environments: what is on PATH may be a shim that only says no. */
async function findPython(): Promise<Python> {
  const given = process.env['STATEFERRY_TEST_PYTHON'];
  for (const path of given === undefined ? [...PYTHONS, ...pyenvPythons()] : [given]) {
    const version = await versionOf(path);
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major === 3 && minor >= 12) return { path, version };
  }
  throw new Error('no Python 3.12 or newer that can make a virtual environment');
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
  const wanted = readdirSync(versions).filter((name) => /^3\.1[2-9]/.test(name));
  return wanted.sort().map((name) => join(versions, name, 'bin/python3'));
}
