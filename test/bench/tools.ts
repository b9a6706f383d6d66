/** How each tool is asked to do the same things, with its own defaults (kopia: zstd-fastest). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from './measure.ts';
import type { Peer } from './peers.ts';
import type { Workload } from './workloads.ts';

export type Target =
  | {
      readonly kind: 's3';
      /** `http://host:port` */
      readonly endpoint: string;
      readonly bucket: string;
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
    }
  | { readonly kind: 'folder'; readonly folder: string };

/** A machine of its own for one tool: settings and caches below `folder`. */
export type Machine = { readonly folder: string };

export type Tool = {
  readonly name: string;
  readonly version: string;
  /** Untimed, once per repository. */
  init(machine: Machine, target: Target, workload: Workload): Command[];
  /** Untimed, on a machine that only reads. */
  connect(machine: Machine, target: Target): Command[];
  /** @param at when it is; only for those that date what they store by the clock of this machine */
  push(machine: Machine, target: Target, workload: Workload, at?: Date): Command;
  pull(machine: Machine, target: Target, workload: Workload, into: string): Command;
  pullOne(machine: Machine, target: Target, workload: Workload, into: string): Command;
  /** Reads all that is stored and checks it. */
  checkData(machine: Machine, target: Target): Command;
  /** Forgets by the keep rules and frees the space, a week after the last time; absent: no such week can be played. */
  tidy?(machine: Machine, target: Target): Command[];
};

/** Ours, which can be asked more than the others. */
export type OurTool = Tool & {
  /** As somebody who has the passphrase and nothing else. */
  ask(machine: Machine, target: Target, words: readonly string[]): Command;
  /** With these words alone. */
  run(machine: Machine, target: Target, words: readonly string[]): Command;
  location(target: Target): string;
};

export const KEEP_RULES = ['--keep-daily', '7', '--keep-weekly', '4', '--keep-monthly', '6'];
export const SECRET = 'a passphrase for measuring';
const REGION = 'us-east-1';

/** @param pruneWords for one that prunes in another way, under a name of its own */
export function stateferry(
  binPath: string,
  version: string,
  name = 'stateferry',
  pruneWords: readonly string[] = [],
): OurTool {
  const command = (machine: Machine, target: Target, args: readonly string[]): Command => ({
    argv: [process.execPath, binPath, ...args],
    env: {
      ...environment(machine, target),
      STATEFERRY_HOME: join(machine.folder, 'stateferry'),
      STATEFERRY_PASSPHRASE: SECRET,
    },
  });
  const location = (target: Target): string => {
    if (target.kind === 'folder') return join(target.folder, 'stateferry');
    const query = new URLSearchParams({
      endpoint: target.endpoint,
      region: REGION,
      addressing: 'path',
    });
    return `s3://${target.bucket}/stateferry?${query.toString()}`;
  };
  return {
    name,
    version,
    init: (machine, target, workload) => {
      const kit = join(machine.folder, 'kit.txt');
      const args = ['init', location(target), '--kit', kit, '--home', workload.home];
      return [command(machine, target, args)];
    },
    connect: () => [],
    push: (machine, target, workload) =>
      command(machine, target, ['push', '--quiet', '--home', workload.home]),
    pull: (machine, target, _workload, into) =>
      command(machine, target, ['pull', '--quiet', '-r', location(target), '--into', into]),
    pullOne: (machine, target, workload, into) => {
      const only = ['--into', into, '--only', `**/${workload.oneFile}`];
      return command(machine, target, ['pull', '--quiet', '-r', location(target), ...only]);
    },
    checkData: (machine, target) => command(machine, target, ['check', '--quiet', '--read-data']),
    ask: (machine, target, words) =>
      command(machine, target, [...words, '--quiet', '-r', location(target)]),
    run: (machine, target, words) => command(machine, target, [...words, '--quiet']),
    location,
    tidy: (machine, target) => {
      const words = ['--prune', ...pruneWords, ...KEEP_RULES];
      return [command(machine, target, ['forget', '--quiet', '--yes', ...words])];
    },
  };
}

export function peerTool(peer: Peer): Tool {
  if (peer.name === 'restic') return restic(peer);
  return peer.name === 'rustic' ? rustic(peer) : kopia(peer);
}

function restic(peer: Peer): Tool {
  const command = (machine: Machine, target: Target, args: readonly string[]): Command => ({
    argv: [peer.path, '--quiet', ...args],
    env: {
      ...environment(machine, target),
      RESTIC_REPOSITORY:
        target.kind === 's3'
          ? `s3:${target.endpoint}/${target.bucket}/restic`
          : join(target.folder, 'restic'),
      RESTIC_PASSWORD: SECRET,
      RESTIC_CACHE_DIR: join(machine.folder, 'restic-cache'),
    },
  });
  return {
    ...peer,
    init: (machine, target) => [command(machine, target, ['init'])],
    connect: () => [],
    push: (machine, target, workload, at) => {
      const time = at === undefined ? [] : ['--time', secondsOf(at)];
      return command(machine, target, ['backup', ...time, workload.stateDir]);
    },
    pull: (machine, target, _workload, into) =>
      command(machine, target, ['restore', 'latest', '--target', into]),
    pullOne: (machine, target, workload, into) => {
      const path = join(workload.stateDir, workload.oneFile);
      return command(machine, target, ['restore', 'latest', '--include', path, '--target', into]);
    },
    checkData: (machine, target) => command(machine, target, ['check', '--read-data']),
    tidy: (machine, target) => [command(machine, target, ['forget', '--prune', ...KEEP_RULES])],
  };
}

function rustic(peer: Peer): Tool {
  const command = (machine: Machine, target: Target, args: readonly string[]): Command => {
    mkdirSync(machine.folder, { recursive: true });
    const profile = join(machine.folder, 'rustic');
    writeFileSync(`${profile}.toml`, rusticProfile(machine, target), { mode: 0o600 });
    const quiet = ['--no-progress', '--log-level', 'warn'];
    return {
      argv: [peer.path, '-P', profile, ...quiet, ...args],
      env: environment(machine, target),
    };
  };
  return {
    ...peer,
    init: (machine, target) => [command(machine, target, ['init'])],
    connect: () => [],
    push: (machine, target, workload, at) => {
      const time = at === undefined ? [] : ['--time', `${secondsOf(at)}+0000`];
      return command(machine, target, ['backup', ...time, workload.stateDir]);
    },
    pull: (machine, target, _workload, into) =>
      command(machine, target, ['restore', 'latest', into]),
    pullOne: (machine, target, workload, into) => {
      const path = join(workload.stateDir, workload.oneFile);
      return command(machine, target, ['restore', `latest:${path}`, into]);
    },
    checkData: (machine, target) => command(machine, target, ['check', '--read-data']),
    // What the run of last week marked is older than the 23 hours that it waits for.
    tidy: (machine, target) => [
      command(machine, target, ['forget', '--prune', '--keep-delete', '0d', ...KEEP_RULES]),
    ],
  };
}

function rusticProfile(machine: Machine, target: Target): string {
  const common = [
    '[repository]',
    `password = ${JSON.stringify(SECRET)}`,
    `cache-dir = ${JSON.stringify(join(machine.folder, 'rustic-cache'))}`,
  ];
  if (target.kind === 'folder') {
    return [...common, `repository = ${JSON.stringify(join(target.folder, 'rustic'))}`, ''].join(
      '\n',
    );
  }
  const options = {
    bucket: target.bucket,
    root: '/rustic',
    endpoint: target.endpoint,
    region: REGION,
    access_key_id: target.accessKeyId,
    secret_access_key: target.secretAccessKey,
  };
  const lines = Object.entries(options).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  return [...common, 'repository = "opendal:s3"', '[repository.options]', ...lines, ''].join('\n');
}

function kopia(peer: Peer): Tool {
  const command = (machine: Machine, target: Target, args: readonly string[]): Command => ({
    argv: [
      peer.path,
      `--config-file=${join(machine.folder, 'kopia.config')}`,
      '--no-progress',
      ...args,
    ],
    env: {
      ...environment(machine, target),
      KOPIA_PASSWORD: SECRET,
      KOPIA_CACHE_DIRECTORY: join(machine.folder, 'kopia-cache'),
      KOPIA_LOG_DIR: join(machine.folder, 'kopia-logs'),
      KOPIA_CHECK_FOR_UPDATES: 'false',
    },
  });
  const storage = (target: Target): string[] => {
    if (target.kind === 'folder') return ['filesystem', `--path=${join(target.folder, 'kopia')}`];
    return [
      's3',
      `--bucket=${target.bucket}`,
      '--prefix=kopia/',
      `--endpoint=${new URL(target.endpoint).host}`,
      '--disable-tls',
      `--region=${REGION}`,
      `--access-key=${target.accessKeyId}`,
      `--secret-access-key=${target.secretAccessKey}`,
    ];
  };
  return {
    ...peer,
    init: (machine, target) => [
      command(machine, target, ['repository', 'create', ...storage(target)]),
      command(machine, target, ['policy', 'set', '--global', '--compression=zstd-fastest']),
    ],
    connect: (machine, target) => [
      command(machine, target, ['repository', 'connect', ...storage(target)]),
    ],
    push: (machine, target, workload) =>
      command(machine, target, ['snapshot', 'create', workload.stateDir]),
    pull: (machine, target, workload, into) =>
      command(machine, target, ['snapshot', 'restore', workload.stateDir, into]),
    pullOne: (machine, target, workload, into) => {
      const path = join(workload.stateDir, workload.oneFile);
      return command(machine, target, ['snapshot', 'restore', path, join(into, 'one')]);
    },
    checkData: (machine, target) =>
      command(machine, target, ['snapshot', 'verify', '--verify-files-percent=100']),
  };
}

/** As UTC, which is what `environment` says the time zone is. */
const secondsOf = (time: Date): string => time.toISOString().slice(0, 19).replace('T', ' ');

/** Nothing of the person who measures: a home of its own and the keys of the test server. */
function environment(machine: Machine, target: Target): Record<string, string> {
  const keys =
    target.kind === 's3'
      ? {
          AWS_ACCESS_KEY_ID: target.accessKeyId,
          AWS_SECRET_ACCESS_KEY: target.secretAccessKey,
          AWS_REGION: REGION,
          AWS_DEFAULT_REGION: REGION,
          AWS_EC2_METADATA_DISABLED: 'true',
        }
      : {};
  const home = join(machine.folder, 'home');
  mkdirSync(home, { recursive: true });
  const path = process.env['PATH'] ?? '';
  return { PATH: path, HOME: home, LANG: 'C.UTF-8', TZ: 'UTC', NO_COLOR: '1', ...keys };
}
