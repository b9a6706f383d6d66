/**
 * The workloads, made from a seed. Each is the home of a user with one install, so that a tool for gateways finds it
 * and a tool for any files backs up the same folder. `npm run bench -- --make gateway --into DIR` only makes one.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeGatewayFiles, changeGatewayFiles, type GatewayFiles } from './gateway-workload.ts';
import { seeded, type Seeded } from '../support/seeded.ts';
import { openTree, type Tree } from './tree.ts';

export const WORKLOAD_NAMES = ['gateway', 'many-small', 'few-large'] as const;
export type WorkloadName = (typeof WORKLOAD_NAMES)[number];

export type Workload = {
  readonly name: WorkloadName;
  readonly home: string;
  /** What every tool backs up; the state dir of the install. */
  readonly stateDir: string;
  readonly files: number;
  readonly bytes: number;
  /** A small file for the one-file restore, relative to the state dir. */
  readonly oneFile: string;
  /** Changes the tree as one more day of use would. Only `gateway` has days. */
  readonly passDay?: () => void;
};

export type WorkloadOptions = {
  readonly home: string;
  readonly seed: number;
  /** 1 is the full size; less for trying the benchmark itself. */
  readonly scale: number;
};

const MIB = 1024 * 1024;

export function makeWorkload(name: WorkloadName, options: WorkloadOptions): Workload {
  const stateDir = join(options.home, '.openclaw');
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const random = seeded(`${name}-${options.seed}`);
  const tree = openTree(stateDir, random);
  writeConfig(tree, options.home);
  const made = { name, home: options.home, stateDir };
  const oneFile = 'workspace/AGENTS.md';
  tree.write(oneFile, `# Agents\n\n${random.prose(4000)}\n`);
  if (name === 'gateway') {
    const gateway: GatewayFiles = makeGatewayFiles(tree, options, random);
    let day = 0;
    const passDay = (): void => changeGatewayFiles(tree, gateway, options, ++day, random);
    return { ...made, oneFile, files: tree.files, bytes: tree.bytes, passDay };
  }
  if (name === 'many-small') makeManySmall(tree, options.scale, random);
  else makeFewLarge(tree, options.scale, random);
  return { ...made, oneFile, files: tree.files, bytes: tree.bytes };
}

function makeManySmall(tree: Tree, scale: number, random: Seeded): void {
  const count = Math.round(100_000 * scale);
  for (let index = 0; index < count; index += 1) {
    const path = `workspace/notes/${index % 100}/${Math.floor(index / 100) % 10}/note-${index}.md`;
    tree.write(path, `${index}\n${random.prose(random.integer(1100, 3100))}`);
  }
}

/** Every other file is noise, the others are a log. */
function makeFewLarge(tree: Tree, scale: number, random: Seeded): void {
  const partBytes = 4 * MIB;
  const parts = Math.max(1, Math.round(64 * scale));
  for (let file = 0; file < 8; file += 1) {
    const isNoise = file % 2 === 0;
    const content = Array.from({ length: parts }, () =>
      isNoise ? random.noise(partBytes) : logText(partBytes, random),
    );
    const path = `workspace/archive/recording-${file}.${isNoise ? 'bin' : 'log'}`;
    tree.write(path, Buffer.concat(content));
  }
}

function logText(length: number, random: Seeded): Buffer {
  const lines: string[] = [];
  for (let made = 0; made < length;) {
    const line = `${random.integer(1e9, 2e9)} info ${random.prose(random.integer(200, 2000))}\n`;
    lines.push(line);
    made += line.length;
  }
  return Buffer.from(lines.join('').slice(0, length), 'latin1');
}

function writeConfig(tree: Tree, home: string): void {
  const workspace = join(home, '.openclaw/workspace');
  const config = {
    meta: { lastTouchedVersion: '2026.3.2' },
    gateway: { mode: 'local', port: 18789, bind: 'loopback' },
    agents: {
      defaults: { workspace },
      list: [{ id: 'main', default: true }, { id: 'work' }, { id: 'ops' }],
    },
  };
  tree.write('openclaw.json', `${JSON.stringify(config, null, 2)}\n`);
}
