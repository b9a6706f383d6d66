/** What the stage of an install holds, held against what the snapshot promised. */
import { toFsPath, type BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import type { SnapshotBody } from '../../format/snapshot.ts';
import { loadConfig } from '../../gateway/config/config-text.ts';
import { countInstall } from '../../gateway/contents/count-install.ts';
import { locateIn } from '../../gateway/disk/locate.ts';
import { readFileIfAny } from '../../gateway/disk/read.ts';
import type { InstallCounts } from '../../gateway/install/counts.ts';
import { compareCounts, failedCritical } from '../../gateway/landing/checklist.ts';
import { besidePartial, expectedCounts, lostFiles } from '../../gateway/landing/expected-counts.ts';
import type { Landing } from '../plan/landing.ts';
import { rootsOnStage } from './roots-on-stage.ts';

/** What the stage holds, before paths are repaired: as the old machine would count it. */
export function countStage(landing: Landing): InstallCounts {
  const { record } = landing;
  const roots = rootsOnStage(landing);
  const locate = (path: string): BytePath | undefined => locateIn(roots, path);
  const config = loadConfig(record.configPath, (path) => {
    const at = locate(path.toString());
    return at === undefined ? undefined : readFileIfAny(toFsPath(at));
  });
  return countInstall({
    home: record.home,
    stateDir: record.stateDir,
    agents: record.agents,
    workspaces: record.countsBefore.workspaces.map(({ path }) => path),
    config: config.value,
    locate,
    isOmitted: besidePartial(
      landing.placement.roots.map(({ name, stage }) => [name, stage]),
      record,
    ),
  });
}

/** @throws checklist-failed when less is there than the snapshot promised */
export function refuseMissing({ record }: Landing, body: SnapshotBody, found: InstallCounts): void {
  const expected = expectedCounts(record, lostFiles(record, body), found);
  const [first, ...more] = failedCritical(compareCounts(expected, found, (path) => path, true));
  if (!first) return;
  throw new FerryError(
    'checklist-failed',
    `before the swap: ${first.check} should be ${first.expected} and is ${first.found}` +
      (more.length > 0 ? ` (and ${more.length} more)` : ''),
    {
      hint: 'Nothing was changed. Pull an older snapshot, or look at it: stateferry pull --into DIR',
    },
  );
}
