/**
 * The gateway after a move, by the product's own commands: its service made anew when the old machine had one (a
 * service file holds absolute paths and secrets, and is never copied), then a restart. Where no service manager is (a
 * container, a server's root) nothing can start it, and the command that does is told.
 */
import type { Emit } from '../../base/events.ts';
import type { RunResult } from '../../process/run.ts';
import { saysDone } from '../product/answer.ts';
import { emitCommand, toldBy } from '../product/command-told.ts';
import type { CliTarget, ProductCli } from '../product/product-cli.ts';
import { notChecked, type CheckLine } from './checklist.ts';

export type BringUpRequest = {
  readonly target: CliTarget;
  /** Of the old machine. */
  readonly hadService: boolean;
  readonly signal: AbortSignal;
};

export type BroughtUp = {
  /** A gateway is expected to be up now, or soon. */
  readonly started: boolean;
  /** Why nothing is expected, in a few words. */
  readonly why: string;
  readonly lines: readonly CheckLine[];
};

const INSTALL_TIMEOUT_MS = 180_000;
const RESTART_TIMEOUT_MS = 180_000;
const HELP_TIMEOUT_MS = 60_000;

export async function bringUp(
  cli: ProductCli,
  request: BringUpRequest,
  emit: Emit,
): Promise<BroughtUp> {
  const lines: CheckLine[] = [];
  if (request.hadService) {
    const line = await installService(cli, request, emit);
    lines.push(line);
    if (!line.ok) return { started: false, why: 'its service is not installed', lines };
  }
  const args = ['gateway', 'restart', '--json'];
  const result = await tell(cli, args, RESTART_TIMEOUT_MS, request, emit);
  const isThere = saysDone(result) || !isWithoutService(result);
  return { started: isThere, why: isThere ? '' : 'no service starts it here', lines };
}

const SERVICE = 'service re-created';

/** With its own force only where its help lists that: a service file that onboarding left is rewritten by it. */
async function installService(
  cli: ProductCli,
  request: BringUpRequest,
  emit: Emit,
): Promise<CheckLine> {
  const help = await cli.run(['gateway', 'install', '--help'], {
    ...request,
    timeoutMs: HELP_TIMEOUT_MS,
  });
  const isForced = /gateway install\b/.test(help.stdout) && /^\s*--force\b/m.test(help.stdout);
  const args = ['gateway', 'install', '--json', ...(isForced ? ['--force'] : [])];
  const result = await tell(cli, args, INSTALL_TIMEOUT_MS, request, emit);
  const line = { check: SERVICE, critical: true, expected: 'installed' };
  if (saysDone(result)) return { ...line, ok: true, found: 'installed' };
  const [, disabled] = DISABLED.exec(result.stdout) ?? [];
  if (disabled !== undefined) return { ...line, ok: false, found: disabledText(disabled, cli) };
  if (isWithoutService(result)) return notChecked(line, 'no service manager here');
  return { ...line, ok: false, found: toldBy(result) };
}

/** March takes a service that is only disabled for no service manager; of one that is missing it repeats more. */
const DISABLED = /is-enabled unavailable: Command failed: [^"\n]* (\S+\.service)"/;

const disabledText = (unit: string, { brand }: ProductCli): string =>
  `${unit} is disabled here, which ${brand.command} trips over: systemctl --user enable ${unit}, ` +
  `then ${brand.command} gateway install`;

/** In the words of three generations; they exit 0 or 1 as it comes. */
const isWithoutService = ({ stdout, stderr, timedOut }: RunResult): boolean =>
  !timedOut &&
  /not-loaded|not.installed|unavailable|not supported|no supported service manager|skipped/i.test(
    `${stdout}\n${stderr}`,
  );

async function tell(
  cli: ProductCli,
  args: readonly string[],
  timeoutMs: number,
  { target, signal }: BringUpRequest,
  emit: Emit,
): Promise<RunResult> {
  const result = await cli.run(args, { target, timeoutMs, signal });
  emitCommand(emit, cli, args, result);
  return result;
}
