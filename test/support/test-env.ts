/**
 * What a test process may see: a home of its own, no credentials and no settings of the person who runs it, but the
 * registries, proxies, certificates and caches of the machine, so that rings can install what they need.
 */
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export type TestEnv = {
  readonly env: Readonly<Record<string, string>>;
  /** Where the rings' results are collected, one JSON line each. */
  readonly ringReportPath: string;
  /** Where the runner's own counts go. */
  readonly countsPath: string;
  /** What cannot be removed is said, and no failure. */
  remove(say: (line: string) => void): void;
};

/** Ours, but meant for the tests: they pass. All others with these prefixes do not. */
const OWN_VARIABLES = /^STATEFERRY_(TEST_\w+|REQUIRE_RINGS|SIM_SEEDS)$/;
const DROPPED =
  /^(AWS|STATEFERRY|OPENCLAW|CLAWDBOT|MOLTBOT|XDG)_|^(npm_(lifecycle|package|command|execpath))/;
const DROPPED_NPM_CONFIG =
  /^npm_config_(prefix|local_prefix|global_prefix|init_module|node_gyp|noproxy)$/;

export function makeTestEnv(real: NodeJS.ProcessEnv): TestEnv {
  const root = mkdtempSync(join(tmpdir(), 'stateferry-test-'));
  const home = join(root, 'home');
  const temporary = join(root, 'tmp');
  const ringReportPath = join(root, 'rings.jsonl');
  for (const folder of [home, temporary]) mkdirSync(folder, { mode: 0o700 });
  // A test that becomes another user must still reach its own folder.
  for (const folder of [root, temporary]) chmodSync(folder, 0o755);
  const env = {
    ...passedOn(real),
    ...cachesOf(real),
    HOME: home,
    TMPDIR: temporary,
    PATH: [dirname(process.execPath), real['PATH'] ?? ''].join(':'),
    // A credential chain that finds nothing answers at once instead of asking a metadata service.
    AWS_EC2_METADATA_DISABLED: 'true',
    NO_COLOR: '1',
    TZ: 'UTC',
    LANG: 'C.UTF-8',
    STATEFERRY_RING_REPORT: ringReportPath,
  };
  const remove = (say: (line: string) => void): void => {
    try {
      rmSync(root, { recursive: true, force: true, maxRetries: 3 });
    } catch (error) {
      say(`left behind: ${root} (${String(error)})`);
    }
  };
  return { env, ringReportPath, countsPath: join(root, 'counts.json'), remove };
}

function passedOn(real: NodeJS.ProcessEnv): Record<string, string> {
  const passed: Record<string, string> = {};
  for (const [name, value] of Object.entries(real)) {
    const isDropped =
      DROPPED.test(name) || DROPPED_NPM_CONFIG.test(name) || name === 'NODE_OPTIONS';
    if (value !== undefined && (!isDropped || OWN_VARIABLES.test(name))) passed[name] = value;
  }
  return passed;
}

/** The caches and registry settings that tools look for below the home, named by variables instead. */
function cachesOf(real: NodeJS.ProcessEnv): Record<string, string> {
  const home = homedir();
  const cache = real['XDG_CACHE_HOME'] ?? join(home, '.cache');
  const go = real['GOPATH'] ?? join(home, 'go');
  const wanted: Record<string, string> = {
    STATEFERRY_TEST_CACHE: join(cache, 'stateferry-test'),
    npm_config_cache: join(home, '.npm'),
    PIP_CACHE_DIR: join(cache, 'pip'),
    GOPATH: go,
    GOCACHE: join(cache, 'go-build'),
    GOMODCACHE: join(go, 'pkg/mod'),
    ...ifThere('npm_config_userconfig', join(home, '.npmrc')),
    ...ifThere('PIP_CONFIG_FILE', join(home, '.config/pip/pip.conf')),
    ...ifThere('GOENV', join(home, '.config/go/env')),
    ...ifThere('PYENV_ROOT', join(home, '.pyenv')),
    ...ifThere('CARGO_HOME', join(home, '.cargo')),
    ...ifThere('RUSTUP_HOME', join(home, '.rustup')),
  };
  return Object.fromEntries(
    Object.entries(wanted).map(([name, path]) => [name, real[name] ?? path]),
  );
}

const ifThere = (name: string, path: string): Record<string, string> =>
  existsSync(path) ? { [name]: path } : {};
