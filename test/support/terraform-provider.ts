/**
 * HashiCorp's provider for AWS, built from its source: it is published in a registry of its own, which many machines
 * cannot reach. Only the services of our modules go into it, which makes it five minutes of Go instead of an hour; what
 * it does for those is what the published one does.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { asRecord } from './cli-run.ts';
import { cacheFolder, installOnce } from './servers-install.ts';

const run = promisify(execFile);

const MODULE = 'github.com/hashicorp/terraform-provider-aws';
/** Its versions since the second major one have no name that Go knows: a commit of June 2026, of 6.x. */
const VERSION = 'v1.60.1-0.20260602190131-5f2286d6d836';
const SERVICES: ReadonlySet<string> = new Set(['iam', 'meta', 's3', 's3control', 'sts']);
/** What those five and everything around them ask for. */
const ASKED: ReadonlySet<string> = new Set(
  (
    'ACMPCA Account CognitoIDP DS EC2 IAM Inspector2 Organizations Outposts Pinpoint ResourceGroupsTaggingAPI ' +
    'S3 S3Control S3Express SSOAdmin STS WAFV2'
  ).split(' '),
);
const PARTS = ['go.mod', 'go.sum', 'main.go', 'internal', 'names', 'version'];
const PACKAGES = 'internal/provider/sdkv2/service_packages_gen.go';
const CLIENTS = 'internal/conns/awsclient_gen.go';
const BUILD_TIMEOUT_MS = 40 * 60_000;

const PLACE = join(cacheFolder(), `terraform-provider-aws-${VERSION}`);

/** Whether it is there without five minutes of work. */
export const terraformProvider = (): Promise<boolean> =>
  readdir(PLACE).then(
    () => true,
    () => false,
  );

/** The folder that holds it. Throws, with a reason, where it cannot be had. */
export async function installTerraformProvider(): Promise<string> {
  await installOnce(PLACE, async (folder) => {
    const source = await mkdtemp(join(tmpdir(), 'terraform-provider-'));
    try {
      const { stdout } = await run('go', ['mod', 'download', '-json', `${MODULE}@${VERSION}`], {
        cwd: source,
        timeout: BUILD_TIMEOUT_MS,
      });
      const from = String(asRecord(JSON.parse(stdout))['Dir']);
      // The module cache is read-only, and a copy of it that keeps its modes would be too.
      await run('cp', [
        '-r',
        '--no-preserve=mode',
        ...PARTS.map((part) => join(from, part)),
        source,
      ]);
      await leaveOutOthers(source);
      const made = join(folder, 'terraform-provider-aws');
      const build = ['build', '-p', '1', '-ldflags=-s -w', '-o', made, '.'];
      await run('go', build, { cwd: source, timeout: BUILD_TIMEOUT_MS });
    } finally {
      await rm(source, { recursive: true, force: true });
    }
  });
  return PLACE;
}

/** Takes what other services need out of the two generated lists that name them all. */
async function leaveOutOthers(source: string): Promise<void> {
  const packages = (await readFile(join(source, PACKAGES), 'utf8')).split('\n').filter((line) => {
    const name =
      /internal\/service\/(\w+)"/.exec(line)?.[1] ?? /(\w+)\.ServicePackage\(/.exec(line)?.[1];
    return name === undefined || SERVICES.has(name);
  });
  await writeFile(join(source, PACKAGES), packages.join('\n'));

  const [head = '', ...functions] = (await readFile(join(source, CLIENTS), 'utf8')).split(
    /\n(?=func )/,
  );
  const asked = functions
    .filter((text) => ASKED.has(/\) (\w+)Client\(/.exec(text)?.[1] ?? ''))
    .join('\n');
  const imports = head.split('\n').filter((line) => {
    const name = /\/service\/(\w+)"/.exec(line)?.[1];
    return name === undefined || asked.includes(`*${name}.Client`);
  });
  await writeFile(join(source, CLIENTS), [...imports, asked].join('\n'));
}
