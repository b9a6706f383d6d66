/**
 * The originals on this machine, which a drill must leave alone: what lies under the paths that the snapshot names, and
 * what the same brands have in the user's home. Held against how they were before.
 */
import { bytePathFromText, parseShownPath, toFsPath, type BytePath } from '../base/byte-path.ts';
import type { SnapshotBody } from '../format/snapshot.ts';
import { removeIfEmpty } from '../fs/swap-steps.ts';
import { inspectInstalls } from '../gateway/discover/discover.ts';
import { lstatIfAny, namesIn } from '../gateway/disk/read.ts';
import type { Brand } from '../gateway/install/brands.ts';
import { notChecked, type CheckLine } from '../gateway/landing/checklist.ts';
import type { LandingSite } from '../pull/plan/site.ts';
import { fingerprintTrees } from '../pull/swap/tree-fingerprint.ts';

export type WatchedOriginals = {
  /** Looks again. Never critical: people and gateways may have been at work meanwhile. */
  line(signal: AbortSignal): Promise<CheckLine>;
};

const LINE = { check: 'originals on this machine', critical: false, expected: 'unchanged' };

export function watchOriginals(
  site: LandingSite,
  { install, roots }: SnapshotBody,
): WatchedOriginals {
  const brand = site.brands.find(({ name }) => name === install.brand);
  const named = roots.map(({ path }) => parseShownPath(path));
  const places = [...new Set([...named, ...(brand ? stateDirsIn(site.home, brand) : [])])].filter(
    (path) => path.startsWith('/') && lstatIfAny(toFsPath(path))?.isDirectory() === true,
  );
  const before = fingerprintTrees(places);
  const fixed = brand && bytePathFromText(`/tmp/${brand.name}`);
  const isFixedNew = fixed !== undefined && lstatIfAny(toFsPath(fixed)) === undefined;
  return {
    line: async (signal) => {
      // Products make it when they start, even where they put nothing into it.
      if (isFixedNew && lstatIfAny(toFsPath(fixed))?.uid === site.uid) removeIfEmpty(fixed);
      if (places.length === 0) return { ...LINE, ok: true, found: 'none' };
      if (fingerprintTrees(places) === before) return { ...LINE, ok: true, found: 'unchanged' };
      if (brand && (await isAnyRunning(site, brand, signal))) {
        return notChecked(LINE, 'a gateway runs here, and changes its own files');
      }
      return { ...LINE, ok: false, found: 'something changed meanwhile' };
    },
  };
}

const stateDirsIn = (home: string, { stateDirName }: Brand): BytePath[] =>
  namesIn(home)
    .map((name) => Buffer.from(name, 'latin1').toString('utf8'))
    .filter((name) => name === stateDirName || name.startsWith(`${stateDirName}-`))
    .map((name) => bytePathFromText(`${home}/${name}`));

async function isAnyRunning(
  { home, env, uid }: LandingSite,
  brand: Brand,
  signal: AbortSignal,
): Promise<boolean> {
  const found = await inspectInstalls({ home, env, brands: [brand], uid }, signal);
  return found.some(({ install }) => install.running);
}
