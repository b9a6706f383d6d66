/** After the swap: config check, doctor, service, restart, and the checklist against the snapshot's own counts. */
import type { Emit } from '../base/events.ts';
import { loadConfig } from '../gateway/config/config-text.ts';
import { countInstall, inPlace } from '../gateway/contents/count-install.ts';
import { secretsInventory } from '../gateway/contents/secrets-inventory.ts';
import { readFileIfAny } from '../gateway/disk/read.ts';
import type { InstallCounts } from '../gateway/install/counts.ts';
import { bringUp, type BroughtUp } from '../gateway/landing/bring-up.ts';
import {
  checkDoctor,
  compareCounts,
  failedCritical,
  type CheckLine,
  checkSameConfig,
} from '../gateway/landing/checklist.ts';
import { besidePartial, expectedCounts, lostFiles } from '../gateway/landing/expected-counts.ts';
import { checkListedSessions } from '../gateway/landing/listed-sessions.ts';
import { checkLive, linesOfNone } from '../gateway/landing/live-checks.ts';
import { personNeeded, type PersonNeeded } from '../gateway/landing/needs-person.ts';
import { emitCommand } from '../gateway/product/command-told.ts';
import { runDoctor, validateConfig, type DoctorAnswer } from '../gateway/product/doctor.ts';
import { gatewayStatus } from '../gateway/product/gateway-status.ts';
import type { CliTarget, ProductCli } from '../gateway/product/product-cli.ts';
import { movePath } from '../gateway/relocate/path-map.ts';
import { pagePathOf } from '../gateway/running/control-page.ts';
import { startCommand } from '../gateway/running/start-command.ts';
import type { Landed, Landing, PullDeps, PullRequest } from './plan/landing.ts';

type Swapped = {
  readonly request: PullRequest;
  readonly landing: Landing;
  /** In the stage. */
  readonly counted: InstallCounts;
};

export async function finishLanding(
  swapped: Swapped,
  deps: Pick<PullDeps, 'emit' | 'clock'>,
  signal: AbortSignal,
): Promise<Landed> {
  const { request, landing } = swapped;
  const { emit } = deps;
  const { cli, target } = landing;
  const lines: CheckLine[] = [];
  const doctor = cli && request.doctor ? await askDoctor(cli, landing, emit, signal) : undefined;
  if (cli && doctor) {
    lines.push(...(await configLine(cli, target, signal)), checkDoctor(doctor));
  }
  // A fresh gateway adds sessions and jobs of its own: what arrived is counted before one is started.
  const found = countPlaced(swapped);
  lines.push(...countLines(swapped, found));
  if (cli && doctor)
    lines.push(...(await checkListedSessions(cli, found.agents, { target, signal })));
  const up = await start(swapped, emit, signal);
  lines.push(...up.lines, ...(await liveLines(landing, request.site, up, deps, signal)));
  if (up.started && cli) {
    lines.push(checkSameConfig(await gatewayStatus(cli, { target, signal }), target.configPath));
  }
  for (const { check, ok, expected, found } of lines) {
    emit({ type: 'check', check, ok, expected, found });
  }
  return {
    doctor: {
      ran: doctor !== undefined,
      exit: doctor?.exit ?? null,
      findings: doctor?.findings.map(({ title, lines: text }) => [title, ...text].join('\n')) ?? [],
    },
    checklist: lines,
    ...leftToDo(swapped, up, deps.clock.nowMs()),
    ok: failedCritical(lines).length === 0,
  };
}

function leftToDo(
  { request, landing }: Swapped,
  { started, why }: BroughtUp,
  nowMs: number,
): Pick<Landed, 'needs' | 'secrets'> {
  const { record, brand, placement, target } = landing;
  const { stateDir, configPath } = placement;
  const config = loadConfig(configPath, readFileIfAny);
  const agentDirs = record.agents.map(({ agentDir }) => movedBy(landing)(agentDir));
  const command = startCommand(brand, target, request.site.owner?.uid);
  const byHand: PersonNeeded[] = started ? [] : [{ kind: 'start-gateway', why, command }];
  const others = personNeeded({
    record,
    brand,
    home: target.home,
    stateDir,
    config,
    env: request.site.env,
    ageMs: nowMs - Date.parse(request.snapshot.cover.cover.time),
    machine: { platform: process.platform, arch: process.arch },
  });
  const secrets = secretsInventory({ stateDir, agentDirs, config: config.value });
  return { needs: [...byHand, ...others], secrets };
}

/** Nobody's gateway stands still meanwhile, and a busy machine is no damage. */
const REHEARSAL_TIMEOUT_MS = 15 * 60_000;

async function askDoctor(
  cli: ProductCli,
  { target, request }: Landing,
  emit: Emit,
  signal: AbortSignal,
): Promise<DoctorAnswer> {
  emit({ type: 'stage', stage: 'doctor' });
  const patience = request.rehearsal ? { timeoutMs: REHEARSAL_TIMEOUT_MS } : {};
  const doctor = await runDoctor(cli, { target, signal, ...patience });
  emitCommand(emit, cli, ['doctor', '--non-interactive'], {
    ...doctor,
    stdout: doctor.output,
    stderr: '',
  });
  return doctor;
}

async function configLine(
  cli: ProductCli,
  target: CliTarget,
  signal: AbortSignal,
): Promise<CheckLine[]> {
  const answer = await validateConfig(cli, { target, signal });
  if (answer.valid === undefined) return [];
  const found = answer.valid ? 'valid' : answer.issues.join('; ') || 'invalid';
  return [{ check: 'config', ok: answer.valid, critical: true, expected: 'valid', found }];
}

async function start(
  { request, landing }: Swapped,
  emit: Emit,
  signal: AbortSignal,
): Promise<BroughtUp> {
  const { cli, target, record } = landing;
  const { restart } = request;
  const why = request.rehearsal ? 'a rehearsal starts no gateway' : 'not started';
  const notWanted = { started: false, why, lines: [] };
  if (cli && restart) emit({ type: 'stage', stage: 'restart' });
  const hadService = record.service !== null;
  return cli && restart ? bringUp(cli, { target, hadService, signal }, emit) : notWanted;
}

function countPlaced({ request, landing }: Swapped): InstallCounts {
  const { record, placement } = landing;
  const moved = movedBy(landing);
  return countInstall({
    home: request.site.home,
    stateDir: placement.stateDir,
    agents: record.agents.map((agent) => ({
      id: agent.id,
      sessionsDir: moved(agent.sessionsDir),
      agentDir: moved(agent.agentDir),
    })),
    workspaces: record.countsBefore.workspaces.map(({ path }) => moved(path)),
    config: loadConfig(placement.configPath, readFileIfAny).value,
    locate: inPlace,
    isOmitted: besidePartial(
      placement.roots.map(({ name, to }) => [name, to]),
      record,
    ),
  });
}

const movedBy =
  ({ placement }: Landing) =>
  (path: string): string =>
    movePath(placement.map, path) ?? path;

function countLines({ request, landing, counted }: Swapped, found: InstallCounts): CheckLine[] {
  const { record } = landing;
  const lost = lostFiles(record, request.snapshot.body);
  return compareCounts(expectedCounts(record, lost, counted), found, movedBy(landing));
}

const LIVE_WAIT_MS = 60_000;
const LIVE_POLL_MS = 500;

/** A gateway needs some seconds to listen, and its channels some more. */
async function liveLines(
  landing: Landing,
  site: PullRequest['site'],
  { started, why }: BroughtUp,
  { clock, emit }: Pick<PullDeps, 'clock' | 'emit'>,
  signal: AbortSignal,
): Promise<CheckLine[]> {
  const { record, brand, placement, cli, target } = landing;
  const { channels, port } = record;
  if (!started || !cli) return linesOfNone(channels, why);
  emit({ type: 'stage', stage: 'check' });
  const { stateDir, configPath } = placement;
  const config = loadConfig(configPath, readFileIfAny).value;
  const basePath = pagePathOf(config);
  const place = { brand, stateDir, configPath, port, basePath, env: site.env, uid: site.uid };
  const request = { ...place, config, channels, cli, target };
  const startMs = clock.nowMs();
  for (;;) {
    const lines = await checkLive(request, signal);
    const durationMs = clock.nowMs() - startMs;
    if (lines.every(({ ok }) => ok) || durationMs > LIVE_WAIT_MS) return lines;
    emit({ type: 'underway', what: 'the gateway is starting', durationMs });
    await clock.sleep(LIVE_POLL_MS, signal);
  }
}
