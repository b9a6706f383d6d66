/** Everything about a pull that can be refused before anything is written. */
import { showPath, toFsPath, type BytePath } from '../base/byte-path.ts';
import { ERROR_CODES, FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { folderBytes } from '../fs/folder-bytes.ts';
import { isWritableFolder } from '../fs/writable.ts';
import {
  compareVersions,
  findProductCli,
  type CliTarget,
  type ProductCli,
} from '../gateway/product-cli.ts';
import { statIfAny } from '../gateway/read.ts';
import { gatewayRecordSchema, type GatewayRecord } from '../gateway/record.ts';
import { assumedBrand, findBrand, type Brand } from '../gateway/brands.ts';
import { identityOf, type InstallIdentity } from '../gateway/identity.ts';
import { renamingRules } from '../gateway/land-as.ts';
import type { PathRule } from '../gateway/path-map.ts';
import type { SnapshotReader } from '../repository/snapshot-reader.ts';
import { gatewayHere, type GatewayHere } from './gateway-here.ts';
import type { Landing, PullPlan, PullRequest } from './landing.ts';
import { requireRoom, SPACE_FACTOR } from './disk-room.ts';
import { refuseMeeting } from './meeting-places.ts';
import { moveMap } from './move-map.ts';
import { generationNotices, otherNameNotices, placeNotices } from './other-name.ts';
import { piecesOf } from './pieces.ts';
import { planPlacement, type Placement } from './placement.ts';
import { refuseUnsafePlaces } from './safe-places.ts';

/** @throws install-not-found, cli-missing, cli-too-old, no-space, target-unsafe, object-damaged */
export async function prepare(
  request: PullRequest,
  emit: Emit,
  signal: AbortSignal,
): Promise<Landing> {
  const { snapshot, site, stamp } = request;
  const { cover } = snapshot;
  const record = recordOf(snapshot);
  const source = sourceOf(request);
  const identity = request.as ?? source;
  const { home } = site;
  const wanted = wantedRules(request, record, source);
  const map = moveMap(snapshot.body, record, { home, wanted });
  const pieces = await piecesOf(snapshot, record, map, wanted);
  const placement = planPlacement({ ...pieces, map, record, snapshotId: cover.id, stamp });
  const { stateDir, configPath } = placement;
  const { brand, profile } = identity;
  const target = { home, stateDir, configPath, profile };
  refuseUnsafePlaces(placement, home, request.journals);
  await refuseMeeting(placement, snapshot);
  checkTargets(placement);
  checkSpace(placement);
  const cli = await cliFor({ request, brand, record, target }, emit, signal);
  const gateway = await gatewayHere({ site, brand, record, target, cli }, emit, signal);
  const plan = {
    ...planOf(request, placement, identity, cli),
    gateway: shownGateway(gateway),
  };
  const notices = [
    ...(await otherNameNotices({ snapshot, record, source, target: identity, newHome: home })),
    ...placeNotices(placement, identity, home),
    ...generationNotices(record, cli),
  ];
  for (const notice of notices) emit({ type: 'notice', ...notice });
  return { source, identity, brand, record, placement, plan, cli, target, gateway };
}

/** The user's own rules come first, and another name of the install next. */
function wantedRules(
  { own = [], as, site }: PullRequest,
  record: GatewayRecord,
  source: InstallIdentity,
): PathRule[] {
  if (!as) return [...own];
  return [...own, ...renamingRules({ record, source, target: as, newHome: site.home })];
}

function recordOf({ body }: SnapshotReader): GatewayRecord {
  const parsed = gatewayRecordSchema.safeParse(body.gateway);
  if (parsed.success) return parsed.data;
  throw new FerryError('object-damaged', 'the snapshot has no usable record of its gateway', {
    hint: 'Its files can still be had: stateferry pull --into DIR',
    cause: parsed.error,
  });
}

/** Of a brand that this machine does not know, its shape is assumed where the install lands as another. */
function sourceOf({ snapshot, site, as }: PullRequest): InstallIdentity {
  const { brand: wanted, profile } = snapshot.body.install;
  const brand = findBrand(site.brands, wanted) ?? (as && assumedBrand(wanted));
  if (brand) return identityOf(brand, profile);
  throw new FerryError('install-not-found', `this machine knows no brand ${wanted}`, {
    hint:
      'Copy brands.json from the settings folder of the old machine, or take the files only: ' +
      'stateferry pull --into DIR',
  });
}

function planOf(
  request: PullRequest,
  placement: Placement,
  identity: InstallIdentity,
  cli: ProductCli | undefined,
): Omit<PullPlan, 'gateway'> {
  const { snapshot, site, doctor, restart } = request;
  const { cover, body } = snapshot;
  return {
    install: request.as ? identity.name : body.install.install,
    source: body.install.install,
    snapshot: cover.id,
    files: cover.cover.files,
    bytes: cover.cover.bytes,
    placed: placement.roots.map(({ name, from, to, parts }) => ({
      root: name,
      from: showPath(from),
      to: showPath(to),
      aside: parts.flatMap(({ aside }) => (aside ? [showPath(aside)] : [])),
    })),
    owner: site.owner,
    cli: cli && `${cli.path} ${cli.version ?? ''}`.trim(),
    doctor,
    restart,
  };
}

const shownGateway = ({ found }: GatewayHere): PullPlan['gateway'] =>
  found && { why: found.why, pid: found.pid, port: found.port };

/** @throws target-unsafe: a root of the old machine lay where this user may not write */
function checkTargets({ roots }: Placement): void {
  for (const { base, to, parts } of roots) {
    if (parts.length === 0 || isWritableFolder(base)) continue;
    throw new FerryError(
      'target-unsafe',
      `${showPath(to)} cannot be written: ${showPath(base)} is not a folder that you may write in`,
      { hint: 'Run as the user who may, or take the files only: stateferry pull --into DIR' },
    );
  }
}

/** Room for everything beside what is there now, per file system; what an earlier run staged is there already. */
function checkSpace({ roots }: Placement): void {
  const perDevice = new Map<number, { at: BytePath; needed: number }>();
  for (const { bytes, base, stage, parts } of roots) {
    const device = statIfAny(toFsPath(base))?.dev ?? 0;
    const staged = parts.length === 0 ? 0 : folderBytes(stage);
    const sum = perDevice.get(device) ?? { at: base, needed: 0 };
    sum.needed += bytes * SPACE_FACTOR - staged;
    perDevice.set(device, sum);
  }
  const hint = 'Make room: what is there now is kept until you have seen the new install work.';
  for (const { at, needed } of perDevice.values()) requireRoom(at, needed, hint);
}

type CliWish = {
  readonly request: PullRequest;
  readonly brand: Brand;
  readonly record: GatewayRecord;
  readonly target: CliTarget;
};

/** A dry run shows the plan all the same, and says what would refuse it. */
async function cliFor(
  wish: CliWish,
  emit: Emit,
  signal: AbortSignal,
): Promise<ProductCli | undefined> {
  try {
    return await findCli(wish, signal);
  } catch (error) {
    const isRefusal = error instanceof FerryError && error.exit === ERROR_CODES['cli-missing'].exit;
    if (!isRefusal || !wish.request.dryRun) throw error;
    const { code, message, hint = '' } = error;
    emit({ type: 'notice', code, message: `the pull itself would refuse: ${message}`, hint });
    return undefined;
  }
}

/** @throws cli-missing, cli-too-old: unless neither doctor nor restart is wanted */
async function findCli(wish: CliWish, signal: AbortSignal): Promise<ProductCli | undefined> {
  const { request, brand, record, target } = wish;
  const { site, doctor, restart } = request;
  if (!doctor && !restart) return undefined;
  const cli = await findProductCli(brand, site.cli, { target, signal });
  const needed = record.configVersion ?? record.cliVersion;
  const install = `npm install -g ${brand.command}${needed === null ? '' : `@${needed}`}`;
  const hint = `Install it: ${install} — or place the files without it: --no-doctor --no-restart`;
  if (!cli) {
    throw new FerryError('cli-missing', `the command ${brand.command} is not on this machine`, {
      hint,
    });
  }
  if (cli.version === undefined) {
    throw new FerryError('cli-missing', `${cli.path} does not start: it tells no version`, {
      hint: `Try ${brand.command} --version as the user who runs the gateway. ${hint}`,
    });
  }
  if (needed !== null && compareVersions(cli.version, needed) < 0) {
    throw new FerryError(
      'cli-too-old',
      `${brand.command} is ${cli.version} here and was ${needed} on the old machine`,
      { hint },
    );
  }
  return cli;
}
