/**
 * The tools that are measured beside ours. They are looked for in the cache and on PATH; one that is not there is named
 * as absent and the benchmark goes on. `npm run bench -- --install-rustic` has cargo build that one into the cache
 * (12 minutes); restic and kopia come from their projects' own releases or builds.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

export const PEER_NAMES = ['restic', 'rustic', 'kopia'] as const;
export type PeerName = (typeof PEER_NAMES)[number];

/** What the published figures were measured with; another version is used too, and named in the table. */
const RUSTIC_VERSION = '0.11.4';

export type Peer = { readonly name: PeerName; readonly path: string; readonly version: string };
export type PeerAnswer = Peer | { readonly name: PeerName; readonly absent: string };

export function cacheDir(): string {
  return process.env['STATEFERRY_BENCH_CACHE'] ?? join(homedir(), '.cache/stateferry-bench');
}

export function findPeer(name: PeerName): PeerAnswer {
  const folders = [join(cacheDir(), 'bin'), ...(process.env['PATH'] ?? '').split(delimiter)];
  const path = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (path === undefined) return { name, absent: `not in ${folders[0]} and not on PATH` };
  const result = spawnSync(path, [name === 'kopia' ? '--version' : 'version'], {
    encoding: 'utf8',
  });
  if (result.status !== 0) return { name, absent: `${path} does not run` };
  const version = /\d+\.\d+\.\d+/.exec(result.stdout)?.[0] ?? 'unknown version';
  return { name, path, version };
}

/** Rustic is published as a crate, so cargo can bring it. */
export function installRustic(): void {
  mkdirSync(cacheDir(), { recursive: true });
  const crate = ['rustic-rs', '--version', RUSTIC_VERSION, '--locked', '--root', cacheDir()];
  const result = spawnSync('cargo', ['install', ...crate], { stdio: 'inherit' });
  if (result.status !== 0) throw new Error('cargo could not build rustic');
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
