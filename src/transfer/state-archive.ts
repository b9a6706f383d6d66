/** Which of several archives holds the state dir, and where in it. */
import {
  asBytePath,
  baseNameBytes,
  dirNameBytes,
  showPath,
  type BytePath,
} from '../base/byte-path.ts';
import { FerryError } from '../base/errors.ts';
import type { Brand } from '../gateway/install/brands.ts';
import type { Survey } from './survey.ts';

export type StateChoice = {
  readonly survey: Survey;
  readonly folder: BytePath;
  readonly configName: string;
  /** `.brand` or `.brand-profile` */
  readonly usualName: string;
};

/** @throws path-not-found, install-ambiguous */
export function chooseStateArchive(
  surveys: readonly Survey[],
  { brand, profile }: { readonly brand: Brand; readonly profile: string },
): StateChoice {
  const usualName = profile === 'default' ? brand.stateDirName : `${brand.stateDirName}-${profile}`;
  const found = surveys.flatMap((survey) =>
    survey.configs.map((config) => {
      const folder = dirNameBytes(config);
      const configName = baseNameBytes(config);
      const isLegacy = configName === brand.configName ? 0 : LEGACY_RANK;
      return { survey, folder, configName, rank: rankOf(folder, usualName, survey) + isLegacy };
    }),
  );
  const best = Math.min(...found.map(({ rank }) => rank));
  const [first, ...more] = found.filter(({ rank }) => rank === best);
  if (first === undefined) {
    throw new FerryError('path-not-found', `no archive holds ${brand.configName}`, {
      hint: `Name the archive of the state dir too (tar -czf FILE ${usualName}); --as says which product it is of.`,
    });
  }
  if (more.length > 0) {
    const places = [first, ...more].map(
      ({ survey, folder }) => `${survey.archive}:${showPath(folder)}`,
    );
    throw new FerryError('install-ambiguous', `several state dirs: ${places.join(', ')}`, {
      hint: 'Import the archives of one install at a time; --as BRAND:PROFILE says which one is meant.',
    });
  }
  const { survey, folder, configName } = first;
  return { survey, folder, configName, usualName };
}

/** The usual name first, then whatever lies highest; a copy inside a workspace lies deeper. */
function rankOf(folder: BytePath, usualName: string, survey: Survey): number {
  const levels = folder === '' ? 0 : folder.split('/').length;
  const isExported = survey.exported.some(({ kind, name }) => kind === 'state' && folder === name);
  const isUsual = isExported || folder === '' || folder.split('/').at(-1) === asBytePath(usualName);
  return levels + (isUsual ? 0 : UNUSUAL_RANK);
}

const UNUSUAL_RANK = 1000;
/** An ancestor's config beside the brand's own counts after it. */
const LEGACY_RANK = 0.5;
