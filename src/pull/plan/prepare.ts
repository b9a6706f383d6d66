/** Everything about a pull that can be refused before anything is written. */
import { bytePathFromText, showPath, toFsPath, type BytePath } from '../../base/byte-path.ts';
import { assert, FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { folderBytes } from '../../fs/folder-bytes.ts';
import { isWritableFolder } from '../../fs/writable.ts';
import { statIfAny } from '../../gateway/disk/read.ts';
import type { InstallCounts } from '../../gateway/install/counts.ts';
import type { InstallIdentity } from '../../gateway/install/identity.ts';
import type { GatewayRecord } from '../../gateway/install/record.ts';
import type { ProductCli } from '../../gateway/product/product-cli.ts';
import { refuseMeeting } from '../places/meeting-places.ts';
import { refuseCollisions } from '../places/name-collisions.ts';
import { planPlacements, type PlacedRoot, type Placement } from '../places/placement.ts';
import { refuseUnsafePlaces } from '../places/safe-places.ts';
import { settleSharing } from '../places/sharing.ts';
import { requireRoom, SPACE_FACTOR } from './disk-room.ts';
import { gatewayHere, type GatewayHere } from './gateway-here.ts';
import type { Landing, PullPlan, PullRequest } from './landing.ts';
import { meantBy, type Meant } from './meant.ts';
import { keepNeighbours } from './neighbours.ts';
import { generationNotices, otherNameNotices, placeNotices } from './other-name.ts';
import { cliFor } from './product-here.ts';

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
