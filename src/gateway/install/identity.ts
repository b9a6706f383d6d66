/** `brand[:profile]`: which install is meant, and where the product looks for it. */
import { FerryError } from '../../base/errors.ts';
import { fillTemplate, findBrand, type Brand } from './brands.ts';

export type InstallIdentity = {
  readonly brand: Brand;
  /** `default` when there is none. */
  readonly profile: string;
  /** As typed and printed. */
  readonly name: string;
};

/** @throws usage: no such brand, or not a name of a profile */
export function parseIdentity(typed: string, brands: readonly Brand[]): InstallIdentity {
  const match = /^([a-z][a-z0-9-]*)(?::([A-Za-z0-9][A-Za-z0-9_-]{0,63}))?$/.exec(typed);
  const brand = findBrand(brands, match?.[1] ?? '');
  if (match !== null && brand !== undefined) return identityOf(brand, match[2] ?? 'default');
  const known = brands.map((one) => one.name).join(', ');
  throw new FerryError('usage', `--as ${typed}: that is no install`, {
    hint: `A brand and, if need be, a profile, as in ${brands[0]?.name ?? ''}:work. Brands: ${known}.`,
  });
}

export const identityOf = (brand: Brand, profile: string): InstallIdentity => ({
  brand,
  profile,
  name: profile === 'default' ? brand.name : `${brand.name}:${profile}`,
});

/** Where the product looks when no variable tells it otherwise. */
export function usualPlaces(
  { brand, profile }: InstallIdentity,
  home: string,
): { readonly defaultStateDir: string; readonly stateDir: string; readonly configPath: string } {
  const defaultStateDir = `${home}/${brand.stateDirName}`;
  const stateDir = profile === 'default' ? defaultStateDir : `${defaultStateDir}-${profile}`;
  return { defaultStateDir, stateDir, configPath: `${stateDir}/${brand.configName}` };
}

/** As the product knows it: a state dir of its own only has a name of ours, like a profile's. */
export function profileForProduct(
  brand: Brand,
  of: { readonly home: string; readonly stateDir: string; readonly profile: string },
): string {
  const isProfiles = of.stateDir === `${of.home}/${brand.stateDirName}-${of.profile}`;
  return isProfiles ? of.profile : 'default';
}

export type WorkspaceOf = {
  readonly home: string;
  readonly stateDir: string;
  readonly agent: { readonly id: string; readonly isDefault: boolean };
};

/** Every place where an agent without a workspace of its own can have it; the first is where a new one is made. */
export function usualWorkspaces(identity: InstallIdentity, of: WorkspaceOf): string[] {
  const { brand, profile } = identity;
  const { ofDefault, ofProfile, ofAgent } = brand.workspace;
  const ofThis = profile === 'default' ? ofDefault : ofProfile;
  const values = {
    home: of.home,
    stateDir: of.stateDir,
    defaultStateDir: `${of.home}/${brand.stateDirName}`,
    profile: profile === 'default' ? '' : profile,
    agent: of.agent.id,
  };
  return (of.agent.isDefault ? [ofThis] : ofAgent)
    .map((template) => fillTemplate(template, values))
    .filter((path) => !path.includes('{'));
}
