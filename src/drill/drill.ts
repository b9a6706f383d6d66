/**
 * drill: a pull that lands in a sandbox with a home of its own and is thrown away: every byte fetched, written and read
 * back, every database and transcript opened, paths repaired, the product's own doctor asked, everything counted. It is
 * the same line as a pull's; what it adds is looked at in the stage, before anything is edited.
 */
import { bytePathFromText } from '../base/byte-path.ts';
import { assert, FerryError, isObjectFault } from '../base/errors.ts';
import type { Emit, FerryEvent } from '../base/events.ts';
import { makeSandbox, type SandboxFolder } from '../fs/sandbox-folder.ts';
import type { ProcessRunner } from '../process/run.ts';
import { isWithin } from '../gateway/disk/paths.ts';
import { lstatIfAny } from '../gateway/disk/read.ts';
import { failedCritical, notChecked, type CheckLine } from '../gateway/landing/checklist.ts';
import { requireRoom } from '../pull/plan/disk-room.ts';
import type { Landing, PullPlan, PullRequest } from '../pull/plan/landing.ts';
import type { LandingSite } from '../pull/plan/site.ts';
import type { Pulled } from '../pull/pull.ts';
import { pull } from '../pull/pull.ts';
import type { RestoreDeps } from '../pull/restore/restore.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import type { OpenedCover } from '../repository/snapshots.ts';
import { containLinks } from './contained-links.ts';
import { inspectStage } from './inspect.ts';
import { watchOriginals } from './originals.ts';
import { rulesIntoSandbox } from './sandbox-rules.ts';
import { sandboxedRunner, variablesOf } from './sandbox-variables.ts';

export type DrillRequest = {
  readonly cover: OpenedCover;
  open(): Promise<SnapshotReader>;
  /** This machine: whose product is asked, and whose files must stay as they are. */
  readonly site: LandingSite;
  /** Where the sandbox is made. */
  readonly folder: string;
  readonly keep: boolean;
  /** For names: the local time as `20261121-080000`. */
  readonly stamp: string;
};

export type Drilled = {
  readonly cover: OpenedCover;
  /** No critical line failed. */
  readonly ok: boolean;
  readonly checklist: readonly CheckLine[];
  /** Of the snapshot: what cannot be restored. */
  readonly lost: readonly { readonly path: string; readonly code: string; readonly why: string }[];
  readonly doctor: Doctor;
  readonly files: number;
  readonly bytes: number;
  readonly bytesFetched: number;
  /** What a pull would have taken, its doctor apart: fetched, written, durable, repaired, counted. */
  readonly restoreMs: number;
  /** What commands of the product took. */
  readonly productMs: number;
  /** Where everything still is; undefined: nothing is left. */
  readonly kept: string | undefined;
};

type Doctor = {
  readonly ran: boolean;
  readonly exit: number | null;
  readonly findings: readonly string[];
  /** Of the product that was asked. */
  readonly version: string | null;
};

/** Folders of the sandbox: for the home of the old machine, and for the root of its file system. */
const HOME = 'home';
const ELSEWHERE = 'elsewhere';

/** @throws no-space, store errors, interrupted: then nothing was found out, and nothing is left */
export async function drill(
  request: DrillRequest,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<Drilled> {
  const sandbox = makeSandbox(request.folder, request.site.owner);
  let isKept = false;
  try {
    const drilled = await rehearse(request, sandbox, deps, signal);
    if (!request.keep) return drilled;
    sandbox.keep();
    isKept = true;
    return { ...drilled, kept: sandbox.path };
  } catch (error) {
    throw roomFor(request.folder, error);
  } finally {
    if (!isKept) sandbox.remove();
  }
}

/** Named by the folder that somebody chose: what is in the sandbox is gone a moment later. */
function roomFor(folder: string, error: unknown): unknown {
  const isFull = error instanceof FerryError && error.code === 'no-space';
  if (!isFull || 'needed' in error.details) return error;
  return new FerryError('no-space', `no space is left in ${folder}, so nothing was found out`, {
    hint: 'Make room, or name a folder on a larger disk: --folder DIR',
    details: { folder },
    cause: error,
  });
}

/** What was seen on the way, however it ends. */
type Seen = {
  readonly lines: CheckLine[];
  readonly lost: { path: string; code: string; why: string }[];
  landing: Landing | undefined;
  inspectMs: number;
  productMs: number;
};

async function rehearse(
  request: DrillRequest,
  sandbox: SandboxFolder,
  deps: RestoreDeps,
  signal: AbortSignal,
): Promise<Drilled> {
  const seen: Seen = { lines: [], lost: [], landing: undefined, inspectMs: 0, productMs: 0 };
  const { clock } = deps;
  const startedMs = clock.nowMs();
  const watched = { ...deps, emit: watching(deps.emit, seen) };
  const pulled = await orFound(seen, async () => {
    const snapshot = await request.open();
    const originals = watchOriginals(request.site, snapshot.body);
    const wish = pullRequest(request, snapshot, sandbox, watched, seen);
    const confirm = async (plans: readonly PullPlan[]): Promise<boolean> => {
      for (const { to } of plans.flatMap(({ placed }) => placed)) refuseOutside(sandbox, to);
      return true;
    };
    const [one] = await pull([wish], { ...watched, confirm }, signal);
    assert(one, 'one snapshot was rehearsed');
    seen.lines.push(...lastLines(one, seen), await originals.line(signal));
    return one;
  });
  const durationMs = clock.nowMs() - startedMs;
  const ok = failedCritical(seen.lines).length === 0;
  // What fails on a full disk is no word about the snapshot.
  if (!ok) requireRoom(bytePathFromText(sandbox.path), ROOM_LEFT_BYTES, ROOM_HINT);
  const named = namesOfOldMachine(sandbox, seen);
  const checklist = seen.lines.map((line) => namedLine(line, named));
  for (const { check, ok, expected, found } of checklist) {
    deps.emit({ type: 'check', check, ok, expected, found });
  }
  const doctor = pulled?.landed?.doctor ?? { ran: false, exit: null, findings: [] };
  const { cover } = request.cover;
  return {
    cover: request.cover,
    ok,
    checklist,
    lost: seen.lost,
    doctor: {
      ...doctor,
      findings: doctor.findings.map(named),
      version: seen.landing?.cli?.version ?? null,
    },
    files: pulled?.restored?.files ?? cover.files,
    bytes: pulled?.restored?.bytes ?? cover.bytes,
    bytesFetched: pulled?.restored?.bytesFetched ?? 0,
    restoreMs: Math.round(durationMs - seen.inspectMs - seen.productMs),
    productMs: Math.round(seen.productMs),
    kept: undefined,
  };
}

/** A product that cannot write any more says whatever it says. */
const ROOM_LEFT_BYTES = 256 * 1024;
const ROOM_HINT = 'Make room, or name a folder on a larger disk: --folder DIR';

/** A snapshot that cannot be restored is what a drill is there to find; anything else ends it. */
async function orFound({ lines }: Seen, work: () => Promise<Pulled>): Promise<Pulled | undefined> {
  try {
    return await work();
  } catch (error) {
    const isFound =
      isObjectFault(error) || (error instanceof FerryError && error.code === 'target-unsafe');
    if (!isFound) throw error;
    lines.push({
      check: 'restore',
      ok: false,
      critical: true,
      expected: 'whole',
      found: error.message,
    });
    return undefined;
  }
}

const watching =
  (emit: Emit, seen: Seen): Emit =>
  (event: FerryEvent) => {
    if (event.type === 'problem') {
      seen.lost.push({ path: event.path, code: event.code, why: event.message });
    }
    // Said with all others at the end; and nobody sets a variable for a sandbox.
    const isUnsaid =
      event.type === 'check' || (event.type === 'notice' && event.code === 'variable-needed');
    if (!isUnsaid) emit(event);
  };

function pullRequest(
  { site, stamp }: DrillRequest,
  snapshot: SnapshotReader,
  sandbox: SandboxFolder,
  deps: RestoreDeps,
  seen: Seen,
): PullRequest {
  const home = sandbox.make(HOME);
  const elsewhere = sandbox.make(ELSEWHERE);
  const temporary = sandbox.make('tmp');
  const brand = site.brands.find(({ name }) => name === snapshot.body.install.brand);
  const timed: ProcessRunner = async (command, args, options) => {
    const result = await site.cli.run(command, args, options);
    seen.productMs += result.durationMs;
    return result;
  };
  const contained: ProcessRunner = (command, args, options) => {
    const { map, stateDir } = seen.landing?.placement ?? {};
    // Before that everything lies in the stage, as the snapshot has it.
    if (map && lstatIfAny(stateDir ?? '')) {
      containLinks({ sandbox: sandbox.path, folders: [home, elsewhere], elsewhere, map });
    }
    return timed(command, args, options);
  };
  const run = sandboxedRunner(contained, {
    brand,
    temporary,
    variables: () => (seen.landing ? variablesOf(seen.landing, sandbox.path) : {}),
  });
  return {
    snapshot,
    site: { ...site, home, cli: { ...site.cli, run } },
    dryRun: false,
    doctor: true,
    restart: false,
    undoOnFailure: false,
    journals: sandbox.make('journals'),
    stamp,
    rehearsal: {
      rules: rulesIntoSandbox(snapshot.body, elsewhere),
      inspect: async (landing, signal) => {
        const startedMs = deps.clock.nowMs();
        const { stateDir, configPath } = landing.placement;
        for (const path of [stateDir, configPath]) refuseOutside(sandbox, path);
        seen.landing = landing;
        seen.lines.push(...(await inspectStage(landing, deps.emit, signal)));
        seen.inspectMs += deps.clock.nowMs() - startedMs;
      },
    },
  };
}

/** @throws target-unsafe: nothing is written, and no command is told of anything, but in the sandbox */
function refuseOutside({ path }: SandboxFolder, place: string): void {
  if (isWithin(path, place)) return;
  throw new FerryError(
    'target-unsafe',
    `the snapshot wants to land on ${place}, outside of the sandbox`,
    {
      hint: 'Nothing was changed. Its files can be had apart: stateferry pull --into DIR',
    },
  );
}

/** What was looked at lay in a folder that nobody has ever heard of. */
function namesOfOldMachine({ path }: SandboxFolder, { landing }: Seen): (text: string) => string {
  const home = landing?.request.snapshot.body.install.home ?? '';
  return (text) => text.replaceAll(`${path}/${HOME}`, home).replaceAll(`${path}/${ELSEWHERE}`, '');
}

const namedLine = (line: CheckLine, named: (text: string) => string): CheckLine => ({
  ...line,
  check: named(line.check),
  expected: named(line.expected),
  found: named(line.found),
});

/** The checklist of the pull, and in the place of the doctor's line why there is none. */
function lastLines({ landed }: Pulled, { landing }: Seen): CheckLine[] {
  assert(landed, 'a rehearsal lands');
  if (landed.doctor.ran) return [...landed.checklist];
  const line = { check: 'doctor: state integrity', critical: true, expected: 'no findings' };
  return [notChecked(line, landing?.cliMissing ?? 'it was not asked'), ...landed.checklist];
}
