/**
 * The fence: what keeps a gateway that was handed off from coming back by its service or with the next start of the
 * machine. Files of ours beside the service's own, and the service disabled; nothing of the product's is edited, so a
 * start that somebody types in the foreground is not kept from happening.
 */
import { mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { bytePathFromText } from '../../base/byte-path.ts';
import { FerryError, messageOf } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { shellWord } from '../../base/shell-word.ts';
import { asOwnerOf } from '../../fs/own-file.ts';
import { writeFileDurable } from '../../fs/sync.ts';
import type { RunResult } from '../../process/run.ts';
import type { ServiceInfo } from '../install/install.ts';
import type { CliDeps } from '../product/product-cli.ts';

/** What has to be known to lift it; plain data. */
export type Fence = { readonly service: FencedService | undefined };

export type FencedService = {
  readonly kind: ServiceInfo['kind'];
  readonly name: string;
  readonly isOfSystem: boolean;
  readonly wasEnabled: boolean;
};

export type FenceRequest = {
  /** Says who raised it and why; while it is there the service does not start. */
  readonly file: string;
  /** For people, who read it from the service manager too. */
  readonly why: string;
  /** The command that lifts it, for as long as the handoff is remembered. */
  readonly back: string;
  readonly home: string;
  readonly uid: number;
};

export type FenceDeps = { readonly cliDeps: CliDeps; readonly emit: Emit };

/** What raising it will change, found out beforehand so that it can be taken back after any interruption. */
export async function planFence(
  service: ServiceInfo | undefined,
  request: FenceRequest,
  deps: FenceDeps,
  signal: AbortSignal,
): Promise<Fence> {
  if (service === undefined) return { service: undefined };
  const { kind, name } = service;
  const isOfSystem = isOutside(service, request);
  const fenced = { kind, name, isOfSystem, wasEnabled: true };
  if (kind !== 'systemd') return { service: fenced };
  const answer = await systemctl(['is-enabled', name], fenced, request, deps, signal);
  const wasEnabled = answer === undefined || answer.stdout.trim() === 'enabled';
  return { service: { ...fenced, wasEnabled } };
}

const isOutside = ({ path }: ServiceInfo, { home }: Pick<FenceRequest, 'home'>): boolean =>
  !path.startsWith(`${home}/`);

/**
 * The settings are the user's own, and root may be at work: a service of the system is what they say only if it is the
 * one that was found to start this gateway.
 * @throws target-unsafe
 */
export function requireSameService(
  { service: fenced }: Fence,
  found: ServiceInfo | undefined,
  request: Pick<FenceRequest, 'home'>,
): void {
  if (fenced?.isOfSystem !== true) return;
  if (found?.name === fenced.name && isOutside(found, request)) return;
  throw new FerryError(
    'target-unsafe',
    `the settings name ${fenced.name}, which is no service of this gateway`,
    { hint: `If it was: remove ${dropInFolder(fenced, request)}/${DROP_IN}, and enable it.` },
  );
}

/** @throws file-write: a service whose files are not ours to write beside */
export async function raiseFence(
  fence: Fence,
  request: FenceRequest,
  deps: FenceDeps,
  signal: AbortSignal,
): Promise<void> {
  const { service } = fence;
  write(request.file, `${[request.why, ...backLines(service, request)].join('\n')}\n`);
  if (service === undefined) return;
  if (service.kind === 'systemd') {
    const unit = [
      '[Unit]',
      `Description=${descriptionOf(request).replaceAll('%', '%%')}`,
      `ConditionPathExists=!${request.file.replaceAll('%', '%%')}`,
      '',
    ];
    const folder = dropInFolder(service, request);
    asItsOwner(service, request, () => write(`${folder}/${DROP_IN}`, unit.join('\n')));
    await systemctl(['daemon-reload'], service, request, deps, signal);
    if (service.wasEnabled)
      await systemctl(['disable', service.name], service, request, deps, signal);
    return;
  }
  if (service.kind === 'launchd') await launchctl('disable', service, request, deps, signal);
  else sayByHand(service, 'disabled', deps);
}

/** One line, true as long as the fence stands. */
const descriptionOf = ({ why, back, file }: FenceRequest): string =>
  `${why}; ${back} takes it back, and where no handoff is remembered, what stands in ${file}`;

/** Who let go of the repository, or of stateferry, has to do by hand what lifting does. */
function backLines(service: FencedService | undefined, request: FenceRequest): string[] {
  return [
    `To have it back here: ${request.back}`,
    'Where stateferry remembers no such handoff (any more): stop it there, since two live copies harm each other; then',
    ...byHand(service, request).map((line) => `  ${line}`),
  ];
}

function byHand(service: FencedService | undefined, request: FenceRequest): string[] {
  const quoted = (text: string): string => shellWord(bytePathFromText(text));
  const files = [request.file];
  if (service?.kind === 'systemd') files.push(`${dropInFolder(service, request)}/${DROP_IN}`);
  const words = files.map(quoted).join(' ');
  if (service === undefined) return [`rm ${words}`];
  const sudo = service.isOfSystem ? 'sudo ' : '';
  if (service.kind === 'systemd') {
    const systemctl = service.isOfSystem ? 'sudo systemctl' : 'systemctl --user';
    const reload = `${sudo}rm ${words} && ${systemctl} daemon-reload`;
    return [
      service.wasEnabled ? `${reload} && ${systemctl} enable ${quoted(service.name)}` : reload,
    ];
  }
  const enable =
    service.kind === 'launchd'
      ? `${sudo}launchctl enable ${quoted(launchdTarget(service, request))}`
      : `enable ${service.name} in the system's own list of services`;
  return [`rm ${words}`, enable];
}

/** As it was; may be done again. */
export async function liftFence(
  fence: Fence,
  request: Omit<FenceRequest, 'why' | 'back'>,
  deps: FenceDeps,
  signal: AbortSignal,
): Promise<void> {
  const { service } = fence;
  if (service?.kind === 'systemd') {
    const folder = dropInFolder(service, request);
    asItsOwner(service, request, () => {
      rmSync(`${folder}/${DROP_IN}`, { force: true });
      rmIfEmpty(folder);
    });
    await systemctl(['daemon-reload'], service, request, deps, signal);
    if (service.wasEnabled)
      await systemctl(['enable', service.name], service, request, deps, signal);
  } else if (service?.kind === 'launchd') {
    await launchctl('enable', service, request, deps, signal);
  } else if (service) sayByHand(service, 'enabled', deps);
  rmSync(request.file, { force: true });
}

/** Read last, so it wins over what the user or the product wrote there. */
const DROP_IN = 'zz-stateferry-fence.conf';

const dropInFolder = (service: FencedService, { home }: Pick<FenceRequest, 'home'>): string =>
  `${service.isOfSystem ? '/etc/systemd/system' : `${home}/.config/systemd/user`}/${service.name}.d`;

/** In a home nothing is root's, and no link of the user's leads root anywhere. */
function asItsOwner(
  { isOfSystem }: FencedService,
  { home }: Pick<FenceRequest, 'home'>,
  work: () => void,
): void {
  if (isOfSystem) work();
  else asOwnerOf(bytePathFromText(home), work);
}

function write(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileDurable(bytePathFromText(path), text, 0o644);
  } catch (error) {
    throw new FerryError('file-write', `the fence cannot be written: ${messageOf(error)}`, {
      hint: 'The service belongs to somebody else: run it as that user, or with sudo.',
      cause: error,
    });
  }
}

function rmIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Something of the user's lies in it, or it is gone already.
  }
}

const COMMAND_TIMEOUT_MS = 30_000;

/** undefined: there is no such manager here, or it does not answer; the drop-in counts when one comes. */
async function systemctl(
  words: readonly string[],
  { isOfSystem, name }: FencedService,
  { uid }: Pick<FenceRequest, 'uid'>,
  deps: FenceDeps,
  signal: AbortSignal,
): Promise<RunResult | undefined> {
  const args = isOfSystem ? words : ['--user', ...words];
  const result = await tryRun('systemctl', args, uid, deps, signal);
  if (words[0] === 'is-enabled' || result?.exit === 0) return result;
  deps.emit({
    type: 'notice',
    code: 'service-manager-silent',
    message: `systemctl ${args.join(' ')} did not answer`,
    hint: `Where ${name} is managed by systemd, look at it: systemctl ${isOfSystem ? '' : '--user '}status ${name}`,
  });
  return undefined;
}

async function launchctl(
  verb: 'enable' | 'disable',
  service: FencedService,
  { uid }: Pick<FenceRequest, 'uid'>,
  deps: FenceDeps,
  signal: AbortSignal,
): Promise<void> {
  const target = launchdTarget(service, { uid });
  const result = await tryRun('launchctl', [verb, target], uid, deps, signal);
  if (result?.exit !== 0) sayByHand(service, `${verb}d`, deps);
}

const launchdTarget = (
  { isOfSystem, name }: FencedService,
  { uid }: Pick<FenceRequest, 'uid'>,
): string => `${isOfSystem ? 'system' : `gui/${uid}`}/${name.replace(/\.plist$/, '')}`;

function sayByHand({ name }: FencedService, what: string, { emit }: FenceDeps): void {
  const message = `the service ${name} could not be ${what} from here`;
  const hint = `It has to be ${what} by hand, in the system's own list of services.`;
  emit({ type: 'notice', code: 'service-by-hand', message, hint });
}

async function tryRun(
  command: string,
  args: readonly string[],
  uid: number,
  { cliDeps }: FenceDeps,
  signal: AbortSignal,
): Promise<RunResult | undefined> {
  const runtime = cliDeps.env['XDG_RUNTIME_DIR'] ?? `/run/user/${uid}`;
  const options = {
    env: { ...cliDeps.env, XDG_RUNTIME_DIR: runtime },
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal,
    ...(cliDeps.owner && { owner: cliDeps.owner }),
  };
  try {
    return await cliDeps.run(command, args, options);
  } catch (error) {
    if (error instanceof FerryError && error.code === 'gateway-command') return undefined;
    throw error;
  }
}
