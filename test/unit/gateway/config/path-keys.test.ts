/** Every place of a config that can hold a path: what lies there travels, or is named as left behind. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { rootsOf } from '../../../../src/gateway/contents/roots.ts';
import { inspectInstalls } from '../../../../src/gateway/discover/discover.ts';
import { BRANDS } from '../../../../src/gateway/install/brands.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'path-keys-')));
after(() => rmSync(folder, { recursive: true, force: true }));
const home = `${folder}/al`;

/** `machine`: named as left behind. A trailing `/` is a folder. `[]` is a list, `<x>` any key. */
const KEYS = `
agents.defaults.workspace        workspace ws/
agents.defaults.repoRoot         data repo/
agents.defaults.cwd              data cwd/
agents.list[].workspace          workspace ws/
agents.list[].agentDir           agent a/agent/
agents.entries.<main>.workspace  workspace ws/
agents.entries.<main>.agentDir   agent a/agent/
agents.entries.<main>.cwd        data cwd/
session.store                    agent s/sessions.json
cron.store                       data c/jobs.json
agents.defaults.memorySearch.store.path      data m/main.sqlite
agents.defaults.memorySearch.extraPaths[]    data extra/
agents.defaults.memorySearch.local.modelPath            machine models/m.gguf
agents.defaults.memorySearch.store.vector.extensionPath machine lib/vec.so
memory.qmd.paths[].path          data notes/
memory.qmd.sessions.exportDir    data exported/
skills.load.extraDirs[]          data skills/
hooks.internal.load.extraDirs[]  data hooks/
hooks.transformsDir              data transforms/
plugins.load.paths[]             data plugins/
plugins.entries.<memory-lancedb>.config.dbPath   data lance/
plugins.entries.<voice-call>.config.deep.store   data calls/calls.jsonl
logging.file                     data log/x.log
diagnostics.cacheTrace.filePath  data log/trace.jsonl
gateway.tls.certPath             credentials tls/cert.pem
gateway.tls.keyPath              credentials tls/key.pem
gateway.tls.caPath               credentials tls/ca.pem
gateway.controlUi.root           machine ui/
canvasHost.root                  data canvas/
browser.executablePath           machine bin/chrome
browser.profiles.<x>.userDataDir data chromium/
secrets.providers.<x>.path       credentials keys/secrets.json
secrets.providers.<x>.command    machine bin/pass
channels.whatsapp.accounts.<x>.authDir        credentials wa/
channels.telegram.tokenFile                   credentials t/token
channels.telegram.accounts.<x>.tokenFile      credentials t/token
channels.irc.passwordFile                     credentials i/pass
channels.irc.accounts.<x>.passwordFile        credentials i/pass
channels.irc.nickserv.passwordFile            credentials i/pass
channels.line.tokenFile                       credentials l/token
channels.line.secretFile                      credentials l/secret
channels.line.accounts.<x>.secretFile         credentials l/secret
channels.googlechat.serviceAccountFile        credentials g/sa.json
channels.googlechat.accounts.<x>.serviceAccountFile credentials g/sa.json
channels.msteams.certificatePath              credentials ms/cert.pem
channels.imessage.cliPath                     machine bin/imsg
channels.imessage.dbPath                      machine Messages/chat.db
agents.defaults.sandbox.workspaceRoot         machine boxes/
agents.list[].sandbox.workspaceRoot           machine boxes/
agents.defaults.sandbox.docker.binds[]        machine binds/
agents.defaults.sandbox.ssh.identityFile      machine ssh/id
models.providers.<x>.localService.cwd         machine llama/
mcp.servers.<x>.command                       machine bin/mcp
mcp.servers.<x>.cwd                           machine mcp/
`;

/** `a.b[].c` with a value at its end, as nested objects and lists; `id` for entries of a roster. */
function configWith(key: string, value: string): unknown {
  return key.split('.').reduceRight<unknown>((inner, part) => {
    const name = part.replace(/^<(.*)>$/, '$1').replace('[]', '');
    if (!part.endsWith('[]')) return { [name]: inner };
    const item = typeof inner === 'object' && name === 'list' ? { id: 'main', ...inner } : inner;
    return { [name]: [item] };
  }, value);
}

async function look(config: unknown) {
  mkdirSync(`${home}/.openclaw`, { recursive: true });
  writeFileSync(`${home}/.openclaw/openclaw.json`, JSON.stringify(config));
  const request = { home, env: {}, brands: BRANDS, uid: 0 };
  const [inspected] = await inspectInstalls(request, new AbortController().signal);
  assert.ok(inspected);
  return rootsOf(inspected);
}

const rows = KEYS.trim()
  .split('\n')
  .map((line) => line.split(/\s+/));

for (const [key = '', kind = '', rest = ''] of rows) {
  test(`${key}: ${kind}`, async () => {
    rmSync(home, { recursive: true, force: true });
    const path = `${home}/${rest}`;
    mkdirSync(rest.endsWith('/') ? path : dirname(path), { recursive: true });
    if (rest.endsWith('/')) writeFileSync(`${path}x`, 'x');
    else writeFileSync(path, 'x');
    const wanted = path.replace(/\/$/, '');
    const written = key.endsWith('binds[]') ? `${wanted}:/in/box:ro` : wanted;
    // As absolute path and with `~`: the same.
    for (const value of [written, written.replace(home, '~')]) {
      const { roots, omissions } = await look(configWith(key, value));
      const holders = roots.filter(({ path: at, only }) =>
        only === undefined || key === 'session.store'
          ? at === wanted || at === dirname(wanted)
          : only.some((name) => `${at}/${name}` === wanted),
      );
      const expected = kind === 'machine' ? [] : [kind];
      assert.deepEqual(
        holders.map((root) => root.kind),
        expected,
        `${key} as ${value}`,
      );
      const left = omissions.filter((one) => one.path === wanted);
      assert.equal(left.length, kind === 'machine' ? 1 : 0, `${key} is named as left behind`);
    }
    // Inside the state dir it travels with it, whatever it is.
    const inside = await look(configWith(key, `${home}/.openclaw/inner/x`));
    assert.deepEqual(
      inside.roots.map((root) => root.name),
      ['state'],
    );
  });
}
