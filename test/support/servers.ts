/** Real S3 servers on this machine, without Docker: started on a free port of 127.0.0.1, ended by process id. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRequired } from './rings.ts';
import {
  hasMinio,
  hasMinioClient,
  installLocalStack,
  installMinio,
  installVersitygw,
} from './servers-install.ts';
import { freePort } from './ports.ts';

export type TestServer = {
  /** Why there is none; the other fields are empty then. */
  readonly absent: string | undefined;
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  stop(): Promise<void>;
};

const ACCESS = { accessKeyId: 'stateferrytest', secretAccessKey: 'stateferry-test-secret' };
const READY_TIMEOUT_MS = 90_000;
const STOP_TIMEOUT_MS = 5_000;

/** LocalStack 4.14.0. It checks neither signatures nor keys nor times. */
export const startLocalStack = (): Promise<TestServer> => localStack('localstack', ['s3']);

/** With what deploys a template. It enforces no policy, and drops the lifecycle rules of a bucket. */
export const startLocalStackRuntime = (): Promise<TestServer> =>
  localStack('localstack-runtime', ['s3', 'iam', 'sts', 'cloudformation']);

function localStack(
  kind: 'localstack' | 'localstack-runtime',
  services: readonly string[],
): Promise<TestServer> {
  return orAbsent(async () => {
    const python = await installLocalStack(kind);
    return start(kind, localStackIsUp, (folder, port) => ({
      command: python,
      args: ['-m', 'localstack.runtime.main'],
      env: {
        OVERRIDE_IN_DOCKER: '0',
        FILESYSTEM_ROOT: join(folder, 'root'),
        TMPDIR: folder,
        HOME: folder,
        SKIP_SSL_CERT_DOWNLOAD: '1',
        DISABLE_EVENTS: '1',
        SERVICES: services.join(','),
        EAGER_SERVICE_LOADING: '1',
        GATEWAY_SERVER: 'hypercorn', // twisted would listen on all interfaces
        DNS_ADDRESS: 'false',
        GATEWAY_LISTEN: `127.0.0.1:${port}`,
      },
    }));
  });
}

/**
 * versitygw 1.7.0: real signatures, checksums, versions and policies, and users beside the one that is named.
 * @param keepsLongPolicies it keeps them in files then: in an extended attribute of ext4 there is room for 4 KB
 */
export async function startVersitygw(
  choices: { readonly keepsLongPolicies?: boolean } = {},
): Promise<TestServer> {
  return orAbsent(async () => {
    const program = await installVersitygw();
    return start('versitygw', answers('/'), (folder, port) => ({
      command: program,
      args: [
        `--access=${ACCESS.accessKeyId}`,
        `--secret=${ACCESS.secretAccessKey}`,
        `--port=127.0.0.1:${port}`,
        `--iam-dir=${join(folder, 'users')}`,
        'posix',
        `--versioning-dir=${join(folder, 'versions')}`,
        ...(choices.keepsLongPolicies === true ? [`--sidecar=${join(folder, 'sidecar')}`] : []),
        join(folder, 'root'),
      ],
      env: {},
    }));
  });
}

/**
 * Whatever `minio` is on PATH, else one that is built where its ring is required.
 * @param choices whether it needs users beside the one that is named: they take its client
 */
export async function startMinio(
  choices: { readonly hasUsers?: boolean } = {},
): Promise<TestServer> {
  return orAbsent(async () => {
    // A program that is called `mc` may be quite another one, so ours is built.
    const isLacking = choices.hasUsers === true && !isRequired('minio') && !hasMinioClient();
    if (isLacking) throw new Error('no client of MinIO; STATEFERRY_REQUIRE_RINGS=minio builds one');
    const command = await findMinio();
    return start('minio', answers('/minio/health/live'), (folder, port) => ({
      command,
      args: ['server', '--quiet', '--address', `127.0.0.1:${port}`, join(folder, 'root')],
      env: {
        HOME: folder,
        MINIO_ROOT_USER: ACCESS.accessKeyId,
        MINIO_ROOT_PASSWORD: ACCESS.secretAccessKey,
        MINIO_BROWSER: 'off',
      },
    }));
  });
}

async function findMinio(): Promise<string> {
  const folders = (process.env['PATH'] ?? '').split(':');
  if (folders.some((folder) => existsSync(join(folder, 'minio')))) return 'minio';
  if (isRequired('minio') || hasMinio()) return installMinio();
  throw new Error('no minio on PATH; STATEFERRY_REQUIRE_RINGS=minio builds one in four minutes');
}

/** The endpoint that STATEFERRY_TEST_S3_ENDPOINT names, with keys of its own variables or the AWS ones. */
export function namedEndpoint(
  env: NodeJS.ProcessEnv = process.env,
): TestServer & { bucket: string } {
  const endpoint = env['STATEFERRY_TEST_S3_ENDPOINT'] ?? '';
  const bucket = env['STATEFERRY_TEST_S3_BUCKET'] ?? '';
  const named = endpoint !== '' && bucket !== '';
  return {
    absent: named
      ? undefined
      : 'STATEFERRY_TEST_S3_ENDPOINT and STATEFERRY_TEST_S3_BUCKET name none',
    endpoint,
    bucket,
    region: env['STATEFERRY_TEST_S3_REGION'] ?? env['AWS_REGION'] ?? 'us-east-1',
    accessKeyId: env['STATEFERRY_TEST_S3_ACCESS_KEY_ID'] ?? env['AWS_ACCESS_KEY_ID'] ?? '',
    secretAccessKey:
      env['STATEFERRY_TEST_S3_SECRET_ACCESS_KEY'] ?? env['AWS_SECRET_ACCESS_KEY'] ?? '',
    stop: async () => {},
  };
}

type Command = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

async function orAbsent(begin: () => Promise<TestServer>): Promise<TestServer> {
  try {
    return await begin();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const absent = reason.split('\n').slice(0, 3).join(' ').slice(0, 300);
    return {
      absent,
      endpoint: '',
      region: '',
      accessKeyId: '',
      secretAccessKey: '',
      stop: async () => {},
    };
  }
}

async function start(
  name: string,
  isUp: IsUp,
  commandFor: (folder: string, port: number) => Command,
): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), `ferry-${name}-`));
  for (const below of ['root', 'versions', 'users', 'sidecar']) await mkdir(join(folder, below));
  const port = await freePort();
  const { command, args, env } = commandFor(folder, port);
  const logPath = join(folder, 'log');
  const log = openSync(logPath, 'w');
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: folder, ...env },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const stop = async (): Promise<void> => {
    await end(child);
    process.off('exit', killNow);
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  };
  const endpoint = `http://127.0.0.1:${port}`;
  try {
    await untilReady(child, () => isUp(endpoint), logPath);
  } catch (error) {
    await stop();
    throw error;
  }
  return { absent: undefined, endpoint, region: 'us-east-1', ...ACCESS, stop };
}

type IsUp = (endpoint: string) => Promise<boolean>;

/** Any answer below 500 to the path will do: a server that refuses us by name is up. */
function answers(path: string): IsUp {
  return async (endpoint) => {
    const answer = await fetch(endpoint + path, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.status < 500;
  };
}

/** It answers before its services are loaded, and stays up when one cannot be. */
async function localStackIsUp(endpoint: string): Promise<boolean> {
  const answer = await fetch(`${endpoint}/_localstack/health`, {
    signal: AbortSignal.timeout(2_000),
  });
  const state = /"s3": "(\w+)"/.exec(await answer.text())?.[1];
  if (state === 'error') throw new Error('LocalStack cannot load its S3');
  return state === 'running';
}

async function untilReady(
  child: ChildProcess,
  isUp: () => Promise<boolean>,
  logPath: string,
): Promise<void> {
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const deadlineMs = Date.now() + READY_TIMEOUT_MS;
  while (Date.now() < deadlineMs) {
    if (failure) throw failure;
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`ended at once: ${readFileSync(logPath, 'utf8').slice(-200).trim()}`);
    }
    const up = await isUp().catch((error: unknown) => {
      if (error instanceof TypeError || (error instanceof Error && error.name === 'TimeoutError')) {
        return false; // nothing listens yet
      }
      throw error;
    });
    if (up) return;
    await sleep(100);
  }
  throw new Error(`not ready after ${READY_TIMEOUT_MS / 1000} s`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
