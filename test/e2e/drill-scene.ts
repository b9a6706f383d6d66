/** A drill of what `landing.ts` pushes, on the very machine that it was pushed from. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { bytePathFromText } from '../../src/base/byte-path.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import type { SnapshotBody } from '../../src/format/snapshot.ts';
import { drill, type Drilled } from '../../src/drill/drill.ts';
import { walkTree } from '../../src/fs/walk.ts';
import { BRANDS } from '../../src/gateway/install/brands.ts';
import { gatewayRecordSchema, type GatewayRecord } from '../../src/gateway/install/record.ts';
import { runProcess } from '../../src/process/run.ts';
import { pinnedHalves, writerOf } from '../../src/repository/machine.ts';
import { openSnapshot } from '../../src/repository/snapshot-reader.ts';
import { makeSnapshot } from '../../src/repository/snapshots.ts';
import { listAll, NO_ABORT } from '../support/engine.ts';
import type { LandingWorld } from '../support/landing.ts';

export type DrillWishes = {
  /** Where sandboxes are made: `<world>/sandboxes` unless told otherwise. */
  readonly folder?: string;
  readonly path?: string;
  readonly keep?: boolean;
  readonly signal?: AbortSignal;
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly onEvent?: (event: FerryEvent) => void;
  readonly env?: Readonly<Record<string, string>>;
};

/** Of the newest snapshot. */
export async function drillIn(world: LandingWorld, wishes: DrillWishes = {}): Promise<Drilled> {
  const { folder = join(world.folder, 'sandboxes'), signal = NO_ABORT, owner } = wishes;
  mkdirSync(folder, { recursive: true });
  const cover = (await listAll(world.reader)).at(-1);
  assert.ok(cover, 'something was pushed');
  const emit = (event: FerryEvent): void => wishes.onEvent?.(event);
  const env = {
    PATH: wishes.path ?? `${world.binDir}:/usr/bin:/bin`,
    TMPDIR: world.folder,
    ...wishes.env,
  };
  const site = {
    home: world.oldHome,
    uid: owner?.uid ?? process.getuid?.() ?? 0,
    owner,
    env,
    brands: BRANDS,
    cli: { run: runProcess, env, ...(owner && { owner }) },
  };
  const open = () => openSnapshot(world.reader, cover, emit, signal);
  const request = { cover, open, site, folder, keep: wishes.keep ?? false, stamp: 'drilled' };
  const tools = { run: runProcess, signal };
  const deps = { repository: world.reader, clock: systemClock, emit, tools };
  return drill(request, deps, signal);
}

export const lineOf = ({ checklist }: Drilled, check: string): { ok: boolean; found: string } => {
  const line = checklist.find((one) => one.check === check);
  assert.ok(line, `no line ${check}: ${checklist.map((one) => one.check).join(', ')}`);
  return line;
};

/** By name, what failed. */
export const failedIn = ({ checklist }: Drilled): string[] =>
  checklist.filter(({ ok }) => !ok).map(({ check }) => check);

/** Everything about everything there, so that also what was made and removed again is seen: at its folder. */
export function stateOf(folder: string): string[] {
  const lines = [...walkTree(bytePathFromText(folder))].map((item) =>
    item.kind === 'entry'
      ? `${item.path} ${item.type} ${item.mode} ${item.size} ${item.mtimeNs} ${item.ctimeNs}`
      : `${item.path} ${item.kind}`,
  );
  assert.ok(lines.length > 0);
  return lines;
}

export const leftIn = (world: LandingWorld): string[] =>
  readdirSync(join(world.folder, 'sandboxes'));

/** What a machine that was let in can store: the newest snapshot once more, and another story about it. */
export async function retold(
  world: LandingWorld,
  story: (body: SnapshotBody, record: GatewayRecord) => SnapshotBody,
): Promise<void> {
  const cover = (await listAll(world.reader)).at(-1);
  assert.ok(cover);
  const { body } = await openSnapshot(world.reader, cover, () => undefined, NO_ABORT);
  const { state } = world.machine;
  const { recipient } = pinnedHalves(state);
  const { sequence } = cover.cover;
  const made = makeSnapshot(
    state.repository,
    recipient,
    writerOf(state),
    { ...cover.cover, sequence: sequence + 1, previous: cover.digest },
    story(body, gatewayRecordSchema.parse(body.gateway)),
    systemRandom,
  );
  await world.store.put(made.name, made.bytes, {}, NO_ABORT);
}
