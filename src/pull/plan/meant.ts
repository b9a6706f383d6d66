/** What a snapshot is, what it shall be here, and where its pieces go: found by reading alone. */
import { FerryError } from '../../base/errors.ts';
import { assumedBrand, findBrand } from '../../gateway/install/brands.ts';
import { identityOf, type InstallIdentity } from '../../gateway/install/identity.ts';
import { gatewayRecordSchema, type GatewayRecord } from '../../gateway/install/record.ts';
import { renamingRules } from '../../gateway/relocate/land-as.ts';
import type { PathMap, PathRule } from '../../gateway/relocate/path-map.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { moveMap } from '../places/move-map.ts';
import { piecesOf, type Pieces } from '../places/pieces.ts';
import type { PullRequest } from './landing.ts';

export type Meant = Pieces & {
  readonly request: PullRequest;
  readonly snapshot: SnapshotReader;
  readonly record: GatewayRecord;
  readonly source: InstallIdentity;
  readonly identity: InstallIdentity;
  readonly map: PathMap;
};

/** @throws install-not-found, object-damaged, usage */
export async function meantBy(request: PullRequest): Promise<Meant> {
  const { snapshot, site } = request;
  const record = recordOf(snapshot);
  const source = sourceOf(request);
  const wanted = wantedRules(request, record, source);
  const map = moveMap(snapshot.body, record, { home: site.home, wanted });
  const pieces = await piecesOf(snapshot, record, map, wanted);
  return { ...pieces, request, snapshot, record, source, identity: request.as ?? source, map };
}

/** The user's own rules come first, and another name of the install next. */
function wantedRules(
  { own = [], as, site, rehearsal }: PullRequest,
  record: GatewayRecord,
  source: InstallIdentity,
): PathRule[] {
  const { rules = [] } = rehearsal ?? {};
  if (!as) return [...own, ...rules];
  return [...own, ...renamingRules({ record, source, target: as, newHome: site.home }), ...rules];
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
