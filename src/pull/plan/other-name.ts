/** What a person has to see to when an install lands under another name or in another place than is usual. */
import { asBytePath } from '../../base/byte-path.ts';
import { parseDotenv } from '../../gateway/config/variables.ts';
import { usualPlaces, type InstallIdentity } from '../../gateway/install/identity.ts';
import type { Notice } from '../../gateway/install/install.ts';
import type { GatewayRecord } from '../../gateway/install/record.ts';
import type { ProductCli } from '../../gateway/product/product-cli.ts';
import { compareVersions } from '../../gateway/product/version.ts';
import { notCarried, SHARED_FILES } from '../../gateway/relocate/land-as.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { lookAt } from '../places/pieces.ts';
import type { Placement } from '../places/placement.ts';

export type Renamed = {
  readonly snapshot: SnapshotReader;
  readonly record: GatewayRecord;
  readonly source: InstallIdentity;
  readonly target: InstallIdentity;
  readonly newHome: string;
};

export async function otherNameNotices(renamed: Renamed): Promise<Notice[]> {
  const { snapshot, source, target } = renamed;
  if (source.name === target.name) return [];
  const root = snapshot.body.roots.find(({ kind }) => kind === 'state');
  if (!root) return [];
  const entries = new Set<string>();
  for (const name of [...SHARED_FILES, 'extensions']) {
    if (await lookAt(snapshot, root, asBytePath(name))) entries.add(name);
  }
  const found = await lookAt(snapshot, root, asBytePath('.env'));
  const pieces: Buffer[] = [];
  if (found?.type === 'file' && found.size <= DOTENV_BYTES_MAX) {
    for await (const piece of snapshot.file(found)) pieces.push(piece);
  }
  const dotenv = Object.keys(parseDotenv(Buffer.concat(pieces).toString('utf8')));
  return notCarried({ ...renamed, dotenv, entries });
}

const DOTENV_BYTES_MAX = 1024 * 1024;

/** A gateway finds what is not in its usual place only when its environment says where it is. */
export function placeNotices(
  { stateDir, configPath }: Placement,
  identity: InstallIdentity,
  home: string,
): Notice[] {
  const usual = usualPlaces(identity, home);
  const { envPrefix } = identity.brand;
  const isUsual = stateDir === usual.stateDir;
  const names = [identity.brand.configName, ...identity.brand.legacyConfigNames];
  const isConfigUsual = isUsual && names.some((name) => configPath === `${stateDir}/${name}`);
  const needed = [
    ...(isUsual ? [] : [`${envPrefix}_STATE_DIR=${stateDir}`]),
    ...(isConfigUsual ? [] : [`${envPrefix}_CONFIG_PATH=${configPath}`]),
  ];
  if (needed.length === 0) return [];
  return [
    {
      code: 'variable-needed',
      message: `${identity.name} lands where its product does not look by itself`,
      hint: `Set where the gateway runs: ${needed.join(' ')}`,
    },
  ];
}

/** Since then sessions and the scheduler lie in databases, into which the product moves older state by itself. */
const DATABASES_SINCE = '2026.9.0';

export function generationNotices(
  { configVersion, cliVersion }: GatewayRecord,
  cli: ProductCli | undefined,
): Notice[] {
  const before = configVersion ?? cliVersion;
  if (cli?.version === undefined || before === null) return [];
  const isOld = compareVersions(before, DATABASES_SINCE) < 0;
  if (!isOld || compareVersions(cli.version, DATABASES_SINCE) < 0) return [];
  return [
    {
      code: 'product-migrates',
      message: `the snapshot is of ${before}, and ${cli.brand.command} ${cli.version} keeps its sessions in databases`,
      hint: `It moves them by itself when it starts; to be on the safe side land it on ${before} first.`,
    },
  ];
}
