/** The product's command on this machine, which doctor and restart need: there, and not too old. */
import { ERROR_CODES, FerryError } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import type { Brand } from '../../gateway/install/brands.ts';
import type { GatewayRecord } from '../../gateway/install/record.ts';
import { brokenLinkOnPath } from '../../gateway/product/on-path.ts';
import {
  findProductCli,
  type CliTarget,
  type ProductCli,
} from '../../gateway/product/product-cli.ts';
import { compareVersions } from '../../gateway/product/version.ts';
import type { PullRequest } from './landing.ts';

type CliWish = {
  readonly request: PullRequest;
  readonly brand: Brand;
  readonly record: GatewayRecord;
  readonly target: CliTarget;
};

type FoundCli = { readonly cli: ProductCli | undefined; readonly missing: string | undefined };

/** A dry run shows the plan all the same, and a rehearsal goes on; both say what would refuse a pull. */
export async function cliFor(wish: CliWish, emit: Emit, signal: AbortSignal): Promise<FoundCli> {
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
