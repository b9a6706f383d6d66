/** The server of the benchmark: versitygw over a folder of this disk, so that what is stored can be weighed. */
import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../support/ports.ts';
import { installVersitygw } from '../support/servers-install.ts';

export type BenchServer = {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Makes a bucket and answers the folder that holds its objects. */
  makeBucket(name: string): string;
  stop(): Promise<void>;
};

const START_TRIES = 200;

export type BenchServerOptions = {
  /** As every provider does, and this server does not by default: a connection serves request after request. */
  readonly keepsConnections: boolean;
};

export async function startBenchServer(
  folder: string,
  { keepsConnections }: BenchServerOptions,
): Promise<BenchServer> {
  const data = join(folder, 'data');
  mkdirSync(data, { recursive: true });
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const keys = { accessKeyId: 'bench', secretAccessKey: 'bench-secret' };
  const log = openSync(join(folder, 'server.log'), 'w');
  const args = ['--access', keys.accessKeyId, '--secret', keys.secretAccessKey];
  if (keepsConnections) args.push('--keep-alive');
  const program = await installVersitygw();
  const child = spawn(program, [...args, '--port', `127.0.0.1:${port}`, 'posix', data], {
    env: { HOME: folder },
    stdio: ['ignore', log, log],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => undefined);
  await Promise.race([answering(endpoint), failed]);
  return {
    endpoint,
    ...keys,
    makeBucket: (name) => {
      mkdirSync(join(data, name));
      return join(data, name);
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

async function answering(endpoint: string): Promise<void> {
  for (let attempt = 0; attempt < START_TRIES; attempt += 1) {
    try {
      await fetch(endpoint);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`the server does not answer at ${endpoint}`);
}
