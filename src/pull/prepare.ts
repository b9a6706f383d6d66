/** Everything about a pull that can be refused before anything is written. */
import { bytePathFromText, showPath, toFsPath, type BytePath } from '../base/byte-path.ts';
import { assert, ERROR_CODES, FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { folderBytes } from '../fs/folder-bytes.ts';
import { isWritableFolder } from '../fs/writable.ts';
import { statIfAny } from '../gateway/disk/read.ts';
import type { Brand } from '../gateway/install/brands.ts';
import type { InstallCounts } from '../gateway/install/counts.ts';
import type { InstallIdentity } from '../gateway/install/identity.ts';
import type { GatewayRecord } from '../gateway/install/record.ts';
import { brokenLinkOnPath } from '../gateway/product/on-path.ts';
import { findProductCli, type CliTarget, type ProductCli } from '../gateway/product/product-cli.ts';
import { compareVersions } from '../gateway/product/version.ts';
import { gatewayHere, type GatewayHere } from './gateway-here.ts';
import type { Landing, PullPlan, PullRequest } from './landing.ts';
import { requireRoom, SPACE_FACTOR } from './disk-room.ts';
import { refuseCollisions } from './name-collisions.ts';
import { refuseMeeting } from './meeting-places.ts';
import { generationNotices, otherNameNotices, placeNotices } from './other-name.ts';
import { keepNeighbours } from './neighbours.ts';
import { meantBy, type Meant } from './meant.ts';
import { planPlacements, type PlacedRoot, type Placement } from './placement.ts';
import { refuseUnsafePlaces } from './safe-places.ts';
import { settleSharing } from './sharing.ts';

/**
 * Of installs that land together: each is looked at before the first is touched.
 * @throws install-not-found, cli-missing, cli-too-old, no-space, target-unsafe, object-damaged
 */
export async function prepare(
  requests: readonly PullRequest[],
  emit: Emit,
  signal: AbortSignal,
): Promise<Landing[]> {
  const meant: Meant[] = [];
  for (const request of requests) meant.push(await meantBy(request));
  const kept = await keepNeighbours(meant, await settleSharing(meant), signal);
  for (const notice of kept.notices) emit({ type: 'notice', ...notice });
  const placements = planPlacements(
    meant.map(({ request, ...one }, index) => ({
      ...one,
      pieces: kept.pieces[index] ?? [],
      snapshotId: request.snapshot.cover.id,
      stamp: request.stamp,
    })),
    kept.stays,
  );
  for (const [index, { request }] of meant.entries()) {
    const placement = placements[index];
    assert(placement, 'every install has a placement');
    refuseUnsafePlaces(placement, request.site.home, request.journals);
    await refuseMeeting(placement, request.snapshot);
    checkTargets(placement);
    const own = bytePathFromText(request.journals);
    await refuseCollisions(placement, request.snapshot, own);
  }
  const isRehearsal = requests.some(({ rehearsal }) => rehearsal !== undefined);
  checkSpace(
    placements.flatMap(({ roots }) => roots),
    isRehearsal ? ROOM_FOR_SANDBOX : ROOM_FOR_BOTH,
  );
  const landings: Landing[] = [];
  for (const [index, placement] of placements.entries()) {
    const one = meant[index];
    assert(one, 'every placement is of an install');
    landings.push(await landingOf(one, placement, emit, signal));
  }
  return landings;
}

async function landingOf(
  { request, snapshot, source, identity, ...meant }: Meant,
  placement: Placement,
  emit: Emit,
  signal: AbortSignal,
): Promise<Landing> {
  const { site } = request;
  const { home } = site;
  const { stateDir, configPath } = placement;
  const { brand, profile } = identity;
  const target = { home, stateDir, configPath, profile };
  const record = withoutBrought(meant.record, placement);
  const { cli, missing } = await cliFor({ request, brand, record, target }, emit, signal);
  const here = { site, brand, record, target, cli };
  const gateway = request.rehearsal ? undefined : await gatewayHere(here, emit, signal);
  const notices = [
    ...(await otherNameNotices({ snapshot, record, source, target: identity, newHome: home })),
    ...placeNotices(placement, identity, home),
    ...generationNotices(record, cli),
  ];
  for (const notice of notices) emit({ type: 'notice', ...notice });
  const plan = { ...planOf(request, placement, identity, cli), gateway: shownGateway(gateway) };
  const product = { brand, cli, cliMissing: missing, target, gateway };
  return { request, source, identity, record, placement, plan, ...product };
}

/** A workspace that another install brings has what that one's snapshot says: it is counted there. */
function withoutBrought(record: GatewayRecord, { roots }: Placement): GatewayRecord {
  const brought = new Set(
    roots.filter(({ isBrought }) => isBrought).map(({ from }) => showPath(from)),
  );
  if (brought.size === 0) return record;
  const own = (counts: InstallCounts): InstallCounts => ({
    ...counts,
    workspaces: counts.workspaces.filter(({ path }) => !brought.has(path)),
  });
  return {
    ...record,
    countsBefore: own(record.countsBefore),
    countsAfter: own(record.countsAfter),
  };
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
    mapped: request.own ?? [],
    owner: site.owner,
    cli: cli && `${cli.path} ${cli.version ?? ''}`.trim(),
    doctor,
    restart,
  };
}

function shownGateway(gateway: GatewayHere | undefined): PullPlan['gateway'] {
  const found = gateway?.found;
  return found && { why: found.why, pid: found.pid, port: found.port };
}

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
function checkSpace(roots: readonly PlacedRoot[], hint: string): void {
  const perDevice = new Map<number, { at: BytePath; needed: number }>();
  for (const { bytes, base, stage, parts } of roots) {
    const device = statIfAny(toFsPath(base))?.dev ?? 0;
    const staged = parts.length === 0 ? 0 : folderBytes(stage);
    const sum = perDevice.get(device) ?? { at: base, needed: 0 };
    sum.needed += bytes * SPACE_FACTOR - staged;
    perDevice.set(device, sum);
  }
  for (const { at, needed } of perDevice.values()) requireRoom(at, needed, hint);
}

const ROOM_FOR_BOTH =
  'Make room: what is there now is kept until you have seen the new install work.';
const ROOM_FOR_SANDBOX = 'Make room, or name a folder on a larger disk: --folder DIR';

type CliWish = {
  readonly request: PullRequest;
  readonly brand: Brand;
  readonly record: GatewayRecord;
  readonly target: CliTarget;
};

type FoundCli = { readonly cli: ProductCli | undefined; readonly missing: string | undefined };

/** A dry run shows the plan all the same, and a rehearsal goes on; both say what would refuse a pull. */
async function cliFor(wish: CliWish, emit: Emit, signal: AbortSignal): Promise<FoundCli> {
  const { dryRun, rehearsal } = wish.request;
  try {
    return { cli: await findCli(wish, signal), missing: undefined };
  } catch (error) {
    const isRefusal = error instanceof FerryError && error.exit === ERROR_CODES['cli-missing'].exit;
    if (!isRefusal || (!dryRun && !rehearsal)) throw error;
    const { code, message, hint = '' } = error;
    const pull = rehearsal ? 'a pull here' : 'the pull itself';
    emit({ type: 'notice', code, message: `${pull} would refuse: ${message}`, hint });
    return { cli: undefined, missing: message };
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
    const link = brokenLinkOnPath(brand.command, site.cli.env['PATH'] ?? '');
    const what = link === undefined ? 'is not on this machine' : `is a link to nothing (${link})`;
    throw new FerryError('cli-missing', `the command ${brand.command} ${what}`, { hint });
  }
  if (cli.version === undefined) {
    throw new FerryError('cli-missing', `${cli.path} tells no version: ${cli.told ?? ''}`, {
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
