/** What the product says against what we read: every disagreement is told, and asked for no more often than needed. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import type { AskDeps } from '../../../../src/gateway/discover/ask-product.ts';
import { discoverInstalls } from '../../../../src/gateway/discover/discover.ts';
import { BRANDS } from '../../../../src/gateway/install/brands.ts';
import type { Install } from '../../../../src/gateway/install/install.ts';
import type { ProcessRunner } from '../../../../src/process/run.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'ask-product-')));
after(() => rmSync(folder, { recursive: true, force: true }));
const home = `${folder}/al`;
const state = `${home}/.openclaw`;
const env = { PATH: `${folder}/bin` };

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

put(`${state}/openclaw.json`, `{ agents: { list: [{ id: 'main' }, { id: 'gone' }] } }`);
put(`${folder}/bin/openclaw`, '');
chmodSync(`${folder}/bin/openclaw`, 0o755);

type Said = Readonly<Record<string, unknown>>;

/** Answers by the words of the command; keeps what was asked. */
function product(said: Said, asked: string[] = []): ProcessRunner {
  return async (_command, args) => {
    const words = args.filter((word) => !word.startsWith('--') && !/^\d+$/.test(word)).join(' ');
    asked.push(args.includes('--version') ? '--version' : words);
    const answer = args.includes('--version') ? '2026.3.2' : (said[words] ?? 'error: no such');
    const stdout = typeof answer === 'string' ? answer : JSON.stringify(answer);
    const result = { exit: 0, signal: null, stdout, stderr: '', durationMs: 1 };
    return { ...result, timedOut: false, truncated: false };
  };
}

async function found(cli: Omit<AskDeps, 'env'>): Promise<Install> {
  const request = { home, env, brands: BRANDS, uid: 0, cli: { env, ...cli } };
  const [install, ...others] = await discoverInstalls(request, new AbortController().signal);
  assert.ok(install);
  assert.deepEqual(others, []);
  return install;
}

const LIST = [
  { id: 'main', workspace: '~/elsewhere', isDefault: true },
  { id: 'new', workspace: `${home}/new`, agentDir: `${state}/agents/new/agent` },
];

test('every disagreement is told: agents, workspaces, sessions, mode, port, config', async () => {
  const run = product({
    'agents list': LIST,
    status: {
      gateway: { mode: 'remote' },
      agents: {
        agents: [
          {
            id: 'main',
            workspaceDir: `${home}/elsewhere`,
            sessionsPath: '/other/sessions/sessions.json',
          },
        ],
      },
    },
    'gateway status': {
      service: { loaded: true },
      config: {
        cli: { path: `${state}/openclaw.json` },
        daemon: { path: '/other/openclaw.json' },
      },
      gateway: { port: 4711 },
    },
  });
  const { agents, notices, why } = await found({ about: 'all', run });
  assert.deepEqual(
    agents.map(({ id, workspace }) => [id, workspace]),
    [
      ['main', `${home}/elsewhere`],
      ['new', `${home}/new`],
    ],
  );
  const told = notices.map(({ code, message }) => `${code} ${message.split(':')[0]}`);
  assert.deepEqual(told.toSorted(), [
    'cli-disagrees agent gone',
    'cli-disagrees agent new',
    'cli-disagrees config',
    'cli-disagrees mode',
    'cli-disagrees port',
    'cli-disagrees sessions of agent main',
    'cli-disagrees workspace of agent main',
  ]);
  assert.deepEqual(
    why.filter(({ source }) => source === 'cli').map(({ detail }) => detail),
    ['openclaw agents list --json', 'openclaw status --json'],
  );
});

test('a path that the product does not tell is no disagreement', async () => {
  const own = { id: 'main', workspaceDir: '[redacted]', sessionsPath: '[redacted]' };
  const status = { agents: { agents: [own] } };
  const { notices } = await found({ about: 'all', run: product({ status }) });
  const told = notices.filter(({ message }) => message.includes('redacted'));
  assert.deepEqual(told, []);
  const elsewhere = { ...own, sessionsPath: '/other/sessions/sessions.json' };
  const again = product({ status: { agents: { agents: [elsewhere] } } });
  const more = (await found({ about: 'all', run: again })).notices;
  assert.ok(more.some(({ message }) => message.startsWith('sessions of agent main')));
});

test('sessions in the agent’s own database are where the newest generation has them', async () => {
  const sessionsPath = `${state}/agents/main/agent/openclaw-agent.sqlite`;
  const status = { agents: { agents: [{ id: 'main', sessionsPath }] } };
  const { notices } = await found({ about: 'all', run: product({ status }) });
  assert.ok(!notices.some(({ message }) => message.startsWith('sessions of agent')));
});

test('an answer is kept until the config changes; nothing is run for what is only remembered', async () => {
  const kept = new Map<string, unknown>();
  const memory = {
    recall: (path: string): unknown => kept.get(path),
    remember: (path: string, answer: object): void => {
      kept.set(path, JSON.parse(JSON.stringify(answer)));
    },
  };
  const asked: string[] = [];
  const run = product({ 'agents list': LIST }, asked);
  assert.equal((await found({ about: 'remembered', run, memory })).agents[1]?.id, 'gone');
  const first = await found({ about: 'agents', run, memory });
  assert.deepEqual(asked, ['--version', 'agents list']);
  const second = await found({ about: 'agents', run, memory });
  assert.deepEqual(asked, ['--version', 'agents list']);
  assert.deepEqual(second, first);
  assert.equal(second.cliVersion, '2026.3.2');
  put(
    `${state}/openclaw.json`,
    `{ agents: { list: [{ id: 'main' }] } } // longer than before, surely`,
  );
  await found({ about: 'agents', run, memory });
  assert.equal(asked.length, 4);
  // Damaged: asked again.
  kept.set(`${state}/openclaw.json`, { asOf: 1 });
  await found({ about: 'agents', run, memory });
  assert.equal(asked.length, 6);
});

test('garbage is no answer: the config is read instead, and that is told', async () => {
  const install = await found({ about: 'all', run: product({ 'agents list': 'no JSON' }) });
  assert.deepEqual(
    install.notices.map(({ code }) => code),
    ['cli-no-answer'],
  );
  assert.deepEqual(
    install.agents.map(({ id }) => id),
    ['main'],
  );
});
