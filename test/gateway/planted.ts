/** What a person adds to an install by hand: notes, `~`, `${VAR}`, a roster, a channel with its logins. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LLM_MODEL_REFERENCE, llmProviderConfig } from '../support/llm-double.ts';
import type { RealInstall } from '../support/real-install.ts';

/** Rewrites the config that onboarding made, as text with notes, and lays files where the install keeps them. */
export function plantByHand(install: RealInstall, llmBaseUrl: string, lab?: string): void {
  writeFileSync(install.configPath, configText(install, llmBaseUrl, lab), { mode: 0o600 });
  for (const [path, text] of Object.entries(filesOf(install))) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode: 0o600 });
  }
}

/** A config as it is right after a move: text for text, but for the literals that name the old home. */
export function movedText(text: string, oldHome: string, newHome: string): string {
  return text.replaceAll(new RegExp(`(["'])${RegExp.escape(oldHome)}/`, 'g'), `$1${newHome}/`);
}

const TOKEN_VARIABLE = 'TOKEN_OF_THE_HOUSE';

function configText(install: RealInstall, llmBaseUrl: string, lab?: string): string {
  const { home, configPath } = install;
  const onboarded = JSON.parse(readFileSync(configPath, 'utf8')) as Onboarded;
  const config = {
    ...onboarded,
    ...channelsOf(install),
    models: { mode: 'merge', providers: { double: llmProviderConfig(llmBaseUrl) } },
    agents: {
      defaults: { ...onboarded.agents.defaults, model: { primary: LLM_MODEL_REFERENCE } },
      ...rosterOf(install, lab),
    },
    gateway: {
      ...onboarded.gateway,
      port: install.isOnDefaultPort ? undefined : install.port,
      auth: { mode: 'token', token: `\${${TOKEN_VARIABLE}}` },
      http: { endpoints: { chatCompletions: { enabled: true } } },
    },
  };
  const note = `// Who lives here. It all began in ${home}/first-try, long ago.`;
  return JSON.stringify(config, null, 2)
    .replace('"agents": {', `${note}\n  agents: {`)
    .replace(/\n\}$/, ',\n  /* the end */\n}\n');
}

const isOf = ({ product }: RealInstall, release: string): boolean =>
  product.version.startsWith(`${release}.`);

function rosterOf(install: RealInstall, lab?: string): Record<string, unknown> {
  const { home, stateDir } = install;
  const workspace = lab === undefined ? `${stateDir}/workspace-lab` : `${home}/${lab}`;
  const entries = {
    main: { default: true },
    work: { workspace: '~/projects/work-space' },
    lab: { workspace, agentDir: `${stateDir}/agents/lab/agent` },
  };
  if (isOf(install, '2026.9')) return { entries };
  return { list: Object.entries(entries).map(([id, entry]) => ({ id, ...entry })) };
}

/** Switched on: the product would do so by itself where it sees logins, and write its config anew without the notes. */
function channelsOf(install: RealInstall): Record<string, unknown> {
  const on = { enabled: true };
  const botToken = '${TELEGRAM_TOKEN}';
  if (!isOf(install, '2026.1')) {
    return { channels: { telegram: { ...on, botToken }, whatsapp: on } };
  }
  return {
    channels: { telegram: { botToken }, whatsapp: {} },
    plugins: { entries: { telegram: on, whatsapp: on } },
  };
}

type Onboarded = {
  readonly agents: { readonly defaults: object };
  readonly gateway: object;
};

function filesOf({ home, stateDir, token }: RealInstall): Record<string, string> {
  const inState = (path: string): string => join(stateDir, path);
  return {
    [inState('.env')]: `${TOKEN_VARIABLE}=${token}\nTELEGRAM_TOKEN=123456:planted\n`,
    [inState('credentials/telegram-default-allowFrom.json')]: '{"version":1,"allowFrom":["7"]}\n',
    [inState('credentials/whatsapp/default/creds.json')]: '{"planted":true}\n',
    [inState('credentials/whatsapp/default/pre-key-1.json')]: '{"planted":true}\n',
    [join(home, 'projects/work-space/NOTES.md')]: '# Notes of work\n',
    [join(home, 'projects/work-space/.hidden/kept')]: 'kept\n',
    [inState('workspace-lab/NOTES.md')]: '# Notes of the lab\n',
  };
}
