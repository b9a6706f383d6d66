/**
 * The benchmark: our installed command and its peers on the same trees, the same server, in the same run.
 *
 *     npm run bench -- [gateway|many-small|few-large]… [--tools stateferry,restic,…] [--store s3|folder]
 *                      [--rounds N] [--no-count] [--seed N] [--scale 0.1] [--json FILE]
 *                      [--checks N]                  check everything N times in turns
 *                      [--line 40ms,100mbit]         through such a line, which is tried with curl before
 *     npm run bench -- --days 40 [--scale 0.1]           days of use, forget and prune every week
 *                      [--tools stateferry,stateferry-repack,…]     ours with prune --repack too
 *     npm run bench -- --crowd 10000 [--packs 5000]      questions about many snapshots, with their requests
 *     npm run bench -- --large [--scale 0.1]             every operation once on 10 GB and 200 000 files: its memory
 *     npm run bench -- --make gateway --into DIR         only makes a workload
 *     npm run bench -- --install-rustic
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { rotated, type Arena } from './contestants.ts';
import { startCountingProxy, type CountingProxy } from './counting-proxy.ts';
import { playCrowd } from './crowded.ts';
import { playDays } from './days.ts';
import { bestOfLine } from './line/best-of-line.ts';
import { startSlowLine, type LineOptions, type SlowLine } from './line/slow-line.ts';
import { playLarge } from './large.ts';
import { findPeer, installRustic, PEER_NAMES } from './peers.ts';
import {
  renderBestOfLine,
  renderCrowd,
  renderDays,
  renderLarge,
  renderLine,
  renderTables,
} from './report.ts';
import { playRound, type Figure } from './round.ts';
import { startBenchServer, type BenchServer } from './server.ts';
import { peerTool, stateferry, type OurTool, type Tool } from './tools.ts';
import { makeWorkload, WORKLOAD_NAMES, type WorkloadName } from './workloads.ts';

const projectFolder = join(import.meta.dirname, '../..');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tools: { type: 'string', default: ['stateferry', ...PEER_NAMES].join(',') },
    store: { type: 'string', default: 's3' },
    rounds: { type: 'string', default: '3' },
    checks: { type: 'string', default: '1' },
    days: { type: 'string' },
    crowd: { type: 'string' },
    packs: { type: 'string', default: '5000' },
    large: { type: 'boolean', default: false },
    'no-count': { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    scale: { type: 'string', default: '1' },
    line: { type: 'string' },
    json: { type: 'string' },
    make: { type: 'string' },
    into: { type: 'string' },
    'install-rustic': { type: 'boolean', default: false },
  },
});
/** Ours with another prune: only its days differ. */
const REPACKING = 'stateferry-repack';
const seed = Number(options.seed);
const scale = Number(options.scale);
const line = options.line === undefined ? undefined : lineOptions(options.line);
const say = (line: string): void => void process.stderr.write(`${line}\n`);

if (options['install-rustic']) installRustic();
else if (options.make !== undefined) makeOne(workloadName(options.make), options.into);
else if (options.crowd !== undefined) await ask(Number(options.crowd), Number(options.packs));
else if (options.large) await fill();
else if (options.days !== undefined) await live(Number(options.days));
else await compare(positionals.length === 0 ? ['gateway'] : positionals.map(workloadName));

function makeOne(name: WorkloadName, into: string | undefined): void {
  if (into === undefined) throw new Error('--make needs --into DIR');
  const made = makeWorkload(name, { home: into, seed, scale });
  process.stdout.write(`${made.files} files, ${made.bytes} bytes in ${made.stateDir}\n`);
}

async function compare(workloads: readonly WorkloadName[]): Promise<void> {
  const tools = chooseTools(options.tools.split(','));
  const timed: Figure[] = [];
  const counted: Figure[] = [];
  for (const workload of workloads) {
    for (let round = 0; round < Number(options.rounds); round += 1) {
      say(`\nround ${round + 1} of ${options.rounds}`);
      timed.push(...(await play(workload, rotated(tools, round), false)));
    }
    if (options['no-count'] || options.store === 'folder') continue;
    say('\ncounted round (its times mean nothing)');
    counted.push(...(await play(workload, tools, true)));
  }
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify({ timed, counted }));
  process.stdout.write(`${renderTables(timed, counted)}\n`);
  if (line !== undefined) {
    process.stdout.write(`\n${renderLine(timed, line)}\n\n${await tryLine(line)}\n`);
  }
}

async function tryLine(options: LineOptions): Promise<string> {
  return inArena(false, async ({ line: opened, folder, makeTarget }) => {
    const { target } = makeTarget(ours());
    if (opened === undefined || target.kind !== 's3') throw new Error('--line is for --store s3');
    mkdirSync(folder);
    return renderBestOfLine(await bestOfLine(opened, target, folder), options);
  });
}

/** Counted all along: CPU time is each tool's own, and `--no-count` gives wall times that can be believed. */
async function live(days: number): Promise<void> {
  const tools = chooseTools(options.tools.split(',')).filter((tool) => tool.tidy !== undefined);
  const figures = await inArena(!options['no-count'] && options.store === 's3', (arena) =>
    playDays({ ...arena, tools, days, seed, scale }),
  );
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(figures));
  process.stdout.write(`${renderDays(figures)}\n`);
}

async function ask(snapshots: number, packs: number): Promise<void> {
  const figures = await inArena(options.store === 's3', (arena) =>
    playCrowd({ ...arena, ours: ours(), snapshots, packs }),
  );
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(figures));
  process.stdout.write(`${renderCrowd(figures)}\n`);
}

async function fill(): Promise<void> {
  const figures = await inArena(false, (arena) =>
    playLarge({ ...arena, ours: ours(), seed, scale }),
  );
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(figures));
  process.stdout.write(`${renderLarge(figures)}\n`);
}

function chooseTools(names: readonly string[]): Tool[] {
  const tools: Tool[] = [];
  for (const name of names) {
    if (name === 'stateferry' || name === REPACKING) {
      tools.push(name === REPACKING ? ours(name, ['--repack']) : ours());
      continue;
    }
    const peerName = PEER_NAMES.find((known) => known === name);
    if (peerName === undefined) throw new Error(`no such tool: ${name}`);
    const peer = findPeer(peerName);
    if ('absent' in peer) say(`absent: ${name} (${peer.absent})`);
    else tools.push(peerTool(peer));
  }
  for (const tool of tools) say(`measured: ${tool.name} ${tool.version}`);
  return tools;
}

/** As installed: what `npm run build` left, not the sources. */
function ours(name?: string, pruneWords?: readonly string[]): OurTool {
  const binPath = join(projectFolder, 'dist/bin.cjs');
  if (!existsSync(binPath)) throw new Error('run `npm run build` first');
  const manifest: unknown = JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'));
  const { version } = manifest as { readonly version: string };
  return stateferry(binPath, version, name, pruneWords);
}

async function play(
  workload: WorkloadName,
  tools: readonly Tool[],
  isCounted: boolean,
): Promise<Figure[]> {
  const checks = Number(options.checks);
  return inArena(isCounted, (arena) =>
    playRound({ ...arena, workload, tools, seed, scale, checks }),
  );
}

async function inArena<T>(isCounted: boolean, work: (arena: Arena) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'stateferry-bench-'));
  const way = options.store === 's3' ? await openWay(join(folder, 'server'), isCounted) : undefined;
  try {
    const makeTarget: Arena['makeTarget'] = (tool) => {
      if (way !== undefined) return s3Target(way, tool);
      const store = join(folder, 'stores', tool.name);
      mkdirSync(store, { recursive: true });
      return { target: { kind: 'folder', folder: store }, storedIn: store };
    };
    const { proxy, line: opened } = way ?? {};
    const round = join(folder, 'round');
    const between = { ...(proxy && { proxy }), ...(opened && { line: opened }) };
    return await work({ folder: round, makeTarget, ...between, say });
  } finally {
    await way?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The server and what stands before it. */
type Way = {
  readonly server: BenchServer;
  readonly endpoint: string;
  readonly proxy: CountingProxy | undefined;
  readonly line: SlowLine | undefined;
  close(): Promise<void>;
};

async function openWay(folder: string, isCounted: boolean): Promise<Way> {
  const server = await startBenchServer(folder, { keepsConnections: line !== undefined });
  const opened = line && (await startSlowLine(server.endpoint, line));
  const behind = opened?.endpoint ?? server.endpoint;
  const proxy = isCounted ? await startCountingProxy(behind) : undefined;
  const close = async (): Promise<void> => {
    await proxy?.close();
    await opened?.close();
    await server.stop();
  };
  return { server, endpoint: proxy?.endpoint ?? behind, proxy, line: opened, close };
}

function s3Target(way: Way, tool: Tool): ReturnType<Arena['makeTarget']> {
  const bucket = `bench-${tool.name}`;
  const storedIn = way.server.makeBucket(bucket);
  const { accessKeyId, secretAccessKey } = way.server;
  const { endpoint } = way;
  return { target: { kind: 's3', endpoint, bucket, accessKeyId, secretAccessKey }, storedIn };
}

function workloadName(name: string): WorkloadName {
  const known = WORKLOAD_NAMES.find((workload) => workload === name);
  if (known === undefined) throw new Error(`no such workload: ${name}`);
  return known;
}

function lineOptions(text: string): LineOptions {
  const parts = /^(\d+)ms,(\d+)mbit$/.exec(text);
  if (parts === null) throw new Error(`not a line: ${text}; as an example, 40ms,100mbit`);
  return { roundTripMs: Number(parts[1]), bitsPerSecond: Number(parts[2]) * 1e6 };
}
