/**
 * The family as data: every product is the same gateway under another name. A fork nobody has heard of is a few
 * lines that its user writes in `brands.json` (`brandSchema`), never code.
 */
import { z } from 'zod';

/** Templates may hold {home} {stateDir} {defaultStateDir} {defaultsWorkspace} {profile} {agent}. */
export type WorkspaceRule = {
  readonly ofDefault: string;
  readonly ofProfile: string;
  /** Of an agent that names none. Generations differ: the first that exists counts, else the first. */
  readonly ofAgent: readonly string[];
};

export type Brand = {
  readonly name: string;
  /** Its npm package, for the hint that names the install command. */
  readonly npmPackage: string;
  readonly command: string;
  /** Below the home, with its dot. A profile adds `-<profile>`. */
  readonly stateDirName: string;
  readonly configName: string;
  /** `OPENCLAW` of `OPENCLAW_STATE_DIR`. */
  readonly envPrefix: string;
  readonly legacyEnvPrefixes: readonly string[];
  /** Folders and config names of ancestors that this brand still reads. */
  readonly legacyStateDirNames: readonly string[];
  readonly legacyConfigNames: readonly string[];
  readonly defaultPort: number;
  readonly workspace: WorkspaceRule;
  /** Without `.service`; `{-profile}` is empty for the default profile. */
  readonly systemdUnits: readonly string[];
  /** Without `.plist`; `{profile}` is the label's last part, `gateway` for the default profile. */
  readonly launchdLabels: readonly string[];
};

const STATE_WORKSPACE: WorkspaceRule = {
  ofDefault: '{defaultStateDir}/workspace',
  ofProfile: '{defaultStateDir}/workspace-{profile}',
  ofAgent: ['{stateDir}/workspace-{agent}', '{defaultsWorkspace}/{agent}'],
};

/** The January 2026 generation kept its workspaces in the home itself. */
const HOME_WORKSPACE: WorkspaceRule = {
  ofDefault: '{home}/clawd',
  ofProfile: '{home}/clawd-{profile}',
  ofAgent: ['{home}/clawd-{agent}'],
};

const environmentName = /^[A-Z][A-Z0-9_]*$/;
const fileName = /^[^/\\\0]+$/;

/** One brand as a person writes it: only `name` is needed, the rest follows the family's shape. */
export const brandSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  npmPackage: z.string().min(1).optional(),
  command: z.string().regex(fileName).optional(),
  stateDirName: z.string().regex(fileName).optional(),
  configName: z.string().regex(fileName).optional(),
  envPrefix: z.string().regex(environmentName).optional(),
  legacyEnvPrefixes: z.array(z.string().regex(environmentName)).optional(),
  legacyStateDirNames: z.array(z.string().regex(fileName)).optional(),
  legacyConfigNames: z.array(z.string().regex(fileName)).optional(),
  defaultPort: z.number().int().min(1).max(65_535).optional(),
  workspace: z
    .union([
      z.enum(['state', 'home']),
      z.strictObject({
        ofDefault: z.string(),
        ofProfile: z.string(),
        ofAgent: z.array(z.string()).min(1),
      }),
    ])
    .optional(),
  systemdUnits: z.array(z.string().min(1)).optional(),
  launchdLabels: z.array(z.string().min(1)).optional(),
});
export type BrandSetting = z.infer<typeof brandSchema>;
export const brandListSchema = z.array(brandSchema);

export const BRANDS: readonly Brand[] = [
  brandFrom({
    name: 'openclaw',
    legacyEnvPrefixes: ['CLAWDBOT'],
    legacyStateDirNames: ['.clawdbot', '.moltbot'],
    legacyConfigNames: ['clawdbot.json', 'moltbot.json'],
  }),
  brandFrom({ name: 'atomicbot' }),
  brandFrom({ name: 'aipro', workspace: 'home' }),
  brandFrom({ name: 'smart-agent-neo', legacyEnvPrefixes: ['NEOBOT'] }),
  brandFrom({
    name: 'resonix',
    defaultPort: 19_000,
    legacyEnvPrefixes: ['RESONIXDBOT'],
    legacyStateDirNames: ['.clawdbot', '.moldbot', '.moltbot'],
    legacyConfigNames: ['clawdbot.json', 'moldbot.json', 'moltbot.json'],
  }),
  brandFrom({ name: 'clawdbot', workspace: 'home', launchdLabels: ['com.clawdbot.{profile}'] }),
  brandFrom({ name: 'moltbot', workspace: 'home' }),
];

/** The built-in brands with the settings' own added; a setting of the same name replaces the built-in one. */
export function brandsWith(settings: readonly BrandSetting[]): readonly Brand[] {
  const own = settings.map(brandFrom);
  const names = new Set(own.map((brand) => brand.name));
  return [...own, ...BRANDS.filter((brand) => !names.has(brand.name))];
}

/** A brand that nobody told us of, in the shape of the family; undefined for what can be no name of one. */
export function assumedBrand(name: string): Brand | undefined {
  const setting = brandSchema.safeParse({ name });
  return setting.success ? brandFrom(setting.data) : undefined;
}

export function findBrand(brands: readonly Brand[], name: string): Brand | undefined {
  return brands.find((brand) => brand.name === name);
}

export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  return template.replaceAll(/\{(-?)(\w+)\}/g, (whole, dash: string, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return value === '' ? '' : dash + value;
  });
}

function brandFrom(setting: BrandSetting): Brand {
  const { name } = setting;
  const command = setting.command ?? name;
  const rule = setting.workspace ?? 'state';
  return {
    name,
    npmPackage: setting.npmPackage ?? name,
    command,
    stateDirName: setting.stateDirName ?? `.${name}`,
    configName: setting.configName ?? `${name}.json`,
    envPrefix: setting.envPrefix ?? name.toUpperCase().replaceAll('-', '_'),
    legacyEnvPrefixes: setting.legacyEnvPrefixes ?? [],
    legacyStateDirNames: setting.legacyStateDirNames ?? [],
    legacyConfigNames: setting.legacyConfigNames ?? [],
    defaultPort: setting.defaultPort ?? 18_789,
    workspace: rule === 'state' ? STATE_WORKSPACE : rule === 'home' ? HOME_WORKSPACE : rule,
    systemdUnits: setting.systemdUnits ?? [`${command}-gateway{-profile}`],
    // Forks kept labels of their ancestors; the service file itself says which install it runs.
    launchdLabels: setting.launchdLabels ?? [
      `ai.${name}.{profile}`,
      `com.${name}.{profile}`,
      'bot.molt.{profile}',
    ],
  };
}
