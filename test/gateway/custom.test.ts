/** Everything elsewhere than the product would have it, and the config in parts. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LLM_MODEL_REFERENCE, llmProviderConfig } from '../support/llm-double.ts';
import type { RealInstall } from '../support/real-install.ts';
import { movedText } from './planted.ts';
import { gatewayRing } from './row-ring.ts';
import { defineRow } from './row.ts';

await gatewayRing('gateway-2026.3.2', (product) =>
  defineRow({
    product,
    install: 'openclaw:state',
    placeIn: (home) => ({
      stateDirName: 'srv/state',
      configPath: `${home}/etc/gateway/main.json5`,
      variables: {
        OPENCLAW_STATE_DIR: `${home}/srv/state`,
        OPENCLAW_CONFIG_PATH: `${home}/etc/gateway/main.json5`,
      },
    }),
    beforeOnboarding: (home) => mkdirSync(`${home}/etc/gateway`, { recursive: true }),
    plant,
    afterLanding: assertParts,
  }),
);

function plant(install: RealInstall, llmBaseUrl: string): void {
  const { home, stateDir, configPath, port, token } = install;
  const models = { mode: 'merge', providers: { double: llmProviderConfig(llmBaseUrl) } };
  const { meta, wizard } = JSON.parse(readFileSync(configPath, 'utf8')) as Record<string, unknown>;
  const files = {
    [configPath]: `// The rules of the house. It all began in ${home}/first-try, long ago.
{
  $include: ['./agents.json5', "${home}/etc/gateway/channels.json5"],
  meta: ${JSON.stringify(meta)}, wizard: ${JSON.stringify(wizard)},
  gateway: {
    mode: 'local', port: ${port}, bind: 'loopback',
    auth: { mode: 'token', token: '\${TOKEN_OF_THE_HOUSE}' },
    http: { endpoints: { chatCompletions: { enabled: true } } },
  },
  models: ${JSON.stringify(models)},
  session: { store: '${home}/talks/{agentId}/sessions.json' },
  cron: { store: '~/plans/jobs.json' },
  skills: { load: { extraDirs: ["~/my-skills",] } }, /* the end */
}
`,
    [`${home}/etc/gateway/agents.json5`]: `{
  // Who lives here.
  agents: {
    defaults: {
      model: { primary: '${LLM_MODEL_REFERENCE}' },
      memorySearch: { enabled: false, extraPaths: ['\${DOCS_FOLDER}', '${home}/data/more'] },
    },
    list: [
      { id: 'main', default: true, workspace: '${home}/spaces/main' },
      { id: 'work', workspace: '~/spaces/work', agentDir: '${home}/elsewhere/work-agent' },
      { id: 'lab' },
    ],
  },
}
`,
    [`${home}/etc/gateway/channels.json5`]: `{
  channels: { telegram: { enabled: true, tokenFile: '${home}/secrets/telegram.token' } },
}
`,
    [`${stateDir}/.env`]: `TOKEN_OF_THE_HOUSE=${token}\nexport DOCS_FOLDER="${home}/data/docs"\n`,
    [`${home}/secrets/telegram.token`]: '123456:planted\n',
    ...Object.fromEntries(KEPT.map((path) => [join(home, path), `${path}\n`])),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode: 0o600 });
  }
}

const KEPT = [
  'data/docs/manual.md',
  'data/more/notes.md',
  'my-skills/greet/SKILL.md',
  'spaces/main/MEMORY.md',
  'spaces/work/.hidden/kept',
  'elsewhere/work-agent/kept.json',
  'srv/state/workspace-lab/LAB.md',
];

function assertParts({ home }: RealInstall, old: RealInstall): void {
  const hidden = `${dirname(old.home)}.hidden/alice`;
  for (const path of KEPT) assert.equal(readFileSync(join(home, path), 'utf8'), `${path}\n`);
  assert.equal(readFileSync(`${home}/secrets/telegram.token`, 'utf8'), '123456:planted\n');
  for (const name of ['agents.json5', 'channels.json5']) {
    const before = readFileSync(`${hidden}/etc/gateway/${name}`, 'utf8');
    // The variable holds a path of the old home, and stays as it is: the path is written out.
    const expected = movedText(before, old.home, home).replace(
      '${DOCS_FOLDER}',
      `${home}/data/docs`,
    );
    assert.equal(readFileSync(`${home}/etc/gateway/${name}`, 'utf8'), expected, name);
  }
}
