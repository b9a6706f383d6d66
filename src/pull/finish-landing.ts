/** After the swap: config check, doctor, restart, and the checklist against the snapshot's own counts. */
import type { Emit } from '../base/events.ts';
import {
  checkDoctor,
  checkLive,
  compareCounts,
  failedCritical,
  type CheckLine,
} from '../gateway/checklist.ts';
import { loadConfig, textAt } from '../gateway/config-text.ts';
import { countInstall, inPlace, type InstallCounts } from '../gateway/counts.ts';
import { runDoctor, validateConfig, type DoctorAnswer } from '../gateway/doctor.ts';
import { besidePartial, expectedCounts, lostFiles } from '../gateway/expected-counts.ts';
import { checkSameConfig, gatewayStatus } from '../gateway/gateway-status.ts';
import { movePath } from '../gateway/path-map.ts';
import type { CliTarget, ProductCli } from '../gateway/product-cli.ts';
import { readFileIfAny } from '../gateway/read.ts';
import type { Landed, Landing, LandingSite, PullDeps, PullRequest } from './landing.ts';

type Swapped = {
  readonly request: PullRequest;
  readonly landing: Landing;
  /** In the stage. */
  readonly counted: InstallCounts;
};

export async function finishLanding(
  swapped: Swapped,
  { emit, clock }: Pick<PullDeps, 'emit' | 'clock'>,
  signal: AbortSignal,
): Promise<Landed> {
  const { request, landing } = swapped;
  const { site } = request;
  const { cli, target } = landing;
  const lines: CheckLine[] = [];
  let doctor: DoctorAnswer | undefined;
  if (cli && request.doctor) {
    emit({ type: 'stage', stage: 'doctor' });
    lines.push(...(await configLine(cli, target, signal)));
    doctor = await runDoctor(cli, { target, signal });
    tell(emit, `${cli.brand.command} doctor --non-interactive`, doctor);
    lines.push(checkDoctor(doctor));
  }
  // A fresh gateway adds sessions and jobs of its own: what arrived is counted before one is started.
  const counted = countLines(swapped);
  const started = request.restart && cli ? await restart(cli, target, emit, signal) : false;
  lines.push(...counted, ...(await liveLines({ site, landing, started, clock }, signal)));
  if (started && cli) {
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
    ok: failedCritical(lines).length === 0,
  };
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

const RESTART_TIMEOUT_MS = 180_000;

/** Whether a gateway is expected to be up now. Its exit code says little, so what counts is asked afterwards. */
async function restart(
  cli: ProductCli,
  target: CliTarget,
  emit: Emit,
  signal: AbortSignal,
): Promise<boolean> {
  emit({ type: 'stage', stage: 'restart' });
  const args = ['gateway', 'restart', '--json'];
  const result = await cli.run(args, { target, timeoutMs: RESTART_TIMEOUT_MS, signal });
  const output = `${result.stdout}\n${result.stderr}`;
  tell(emit, `${cli.brand.command} ${args.join(' ')}`, { ...result, output });
  const notThere = /not-loaded|not installed|unavailable|not found|not-installed|skipped/i.test(
    output,
  );
  if (result.exit === 0 && !notThere) return true;
  const { command } = cli.brand;
  emit({
    type: 'notice',
    code: 'gateway-not-started',
    message: 'no service starts the gateway on this machine yet',
    hint: `Start it: ${command} gateway install — or in the foreground: ${command} gateway run`,
  });
  return false;
}

function countLines({ request, landing, counted }: Swapped): CheckLine[] {
  const { record, placement } = landing;
  const moved = (path: string): string => movePath(placement.map, path) ?? path;
  const found = countInstall({
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
  const lost = lostFiles(record, request.snapshot.body);
  return compareCounts(expectedCounts(record, lost, counted), found, moved);
}

const LIVE_WAIT_MS = 60_000;
const LIVE_POLL_MS = 500;

type Live = Pick<PullDeps, 'clock'> & {
  readonly site: LandingSite;
  readonly landing: Landing;
  readonly started: boolean;
};

/** A gateway needs some seconds to listen. */
async function liveLines(live: Live, signal: AbortSignal): Promise<CheckLine[]> {
  const { site, landing, started, clock } = live;
  const { record, brand, placement } = landing;
  const { stateDir, configPath } = placement;
  const basePath = textAt(
    loadConfig(configPath, readFileIfAny).value,
    'gateway',
    'controlUi',
    'basePath',
  );
  const { port } = record;
  const request = {
    brand,
    stateDir,
    configPath,
    port,
    env: site.env,
    uid: site.uid,
    ...(basePath !== undefined && { basePath: `/${basePath.replaceAll(/^\/+|\/+$/g, '')}` }),
  };
  const untilMs = clock.nowMs() + LIVE_WAIT_MS;
  for (;;) {
    const lines = await checkLive(request, started, signal);
    if (lines.every(({ ok }) => ok) || clock.nowMs() > untilMs) return lines;
    await clock.sleep(LIVE_POLL_MS, signal);
  }
}

function tell(
  emit: Emit,
  command: string,
  result: { readonly exit: number | null; readonly durationMs: number; readonly output: string },
): void {
  const { exit, durationMs, output } = result;
  emit({ type: 'command', command, exit, durationMs: Math.round(durationMs), output });
}
