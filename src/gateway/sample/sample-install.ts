/**
 * A sample install, realistic enough to try a migration on: three agents, sessions with absolute paths, a live
 * database, hundreds of credential files, a workspace that is a git repository, odd names, and a stand-in for the
 * product's command. Made in a sandboxed home; nothing outside it is touched.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { appendTurn, writeAgent } from './sample-agents.ts';
import type { SampleAgent } from './sample-agents.ts';
import { CHANNELS_TEXT, configText, DOTENV_TEXT, hex, seeded, sentence } from './sample-content.ts';
import { openDatabase } from './sample-database.ts';
import { writeRepository } from './sample-git.ts';
import { writeOddities } from './sample-oddities.ts';
import { writeStandIn } from './stand-in.ts';

export type SampleRequest = {
  /** Made if it is not there; anything of the sample must not be. */
  readonly home: string;
  /** Where the stand-in command is written, labelled as one; absent: none is. */
  readonly binDir?: string;
  /** The Node that runs the stand-in. */
  readonly nodePath: string;
  readonly port?: number;
};

export type Sample = {
  readonly home: string;
  readonly stateDir: string;
  readonly configPath: string;
  /** The research agent's, outside the state dir: a git repository with odd names in it. */
  readonly workspace: string;
  readonly databasePath: string;
  readonly sessionsPerAgent: Readonly<Record<string, number>>;
  readonly credentialFiles: number;
  /** One more turn and one more row, as if the gateway went on; answers the rows in the database. */
  goOn(): number;
  /** Closes the database, as a gateway that stops. */
  close(): void;
};

const PRE_KEYS = 300;
const SENDER_KEYS = 40;
const PORT = 18_789;

export function writeSample(request: SampleRequest): Sample {
  const { home } = request;
  const stateDir = `${home}/.openclaw`;
  const workspace = `${home}/projects/research`;
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const port = request.port ?? PORT;
  writeFileSync(
    `${stateDir}/openclaw.json`,
    configText({ home, stateDir, research: workspace, port }),
    { mode: 0o600 },
  );
  writeFileSync(`${stateDir}/channels.json5`, CHANNELS_TEXT, { mode: 0o600 });
  writeFileSync(`${stateDir}/.env`, DOTENV_TEXT, { mode: 0o600 });
  const agents: readonly SampleAgent[] = [
    { id: 'main', sessions: 14, workspace: `${stateDir}/workspace` },
    { id: 'research', sessions: 6, workspace },
    { id: 'family', sessions: 3, workspace: `${stateDir}/workspace-family` },
  ];
  const written = agents.map((agent) => writeAgent(stateDir, agent));
  for (const agent of agents) writeWorkspace(agent.workspace, agent.id);
  writeRepository(workspace);
  writeOddities(`${workspace}/odd names`);
  const credentialFiles = writeCredentials(`${stateDir}/credentials`);
  writeRest(stateDir);
  const database = openDatabase(`${stateDir}/memory/main.sqlite`);
  if (request.binDir !== undefined) writeStandIn(request.binDir, request.nodePath);
  let turns = 0;
  return {
    home,
    stateDir,
    configPath: `${stateDir}/openclaw.json`,
    workspace,
    databasePath: database.path,
    sessionsPerAgent: Object.fromEntries(agents.map((agent) => [agent.id, agent.sessions])),
    credentialFiles,
    goOn: () => {
      turns += 1;
      for (const agent of written) {
        const path = agent.transcripts[0];
        if (path !== undefined) appendTurn(path, turns);
      }
      return database.commit();
    },
    close: () => database.close(),
  };
}

function writeWorkspace(folder: string, agent: string): void {
  const random = seeded(agent.length);
  mkdirSync(`${folder}/memory`, { recursive: true });
  for (const name of ['AGENTS', 'SOUL', 'USER', 'TOOLS', 'IDENTITY', 'MEMORY']) {
    writeFileSync(`${folder}/${name}.md`, `# ${name}\n\n${sentence(random, 80)}\n`);
  }
  for (let day = 1; day <= 20; day += 1) {
    const date = `2026-02-${String(day).padStart(2, '0')}`;
    writeFileSync(`${folder}/memory/${date}.md`, `# ${date}\n\n${sentence(random, 120)}\n`);
  }
}

/** Hundreds of small files, like those that keep a WhatsApp login alive; answers how many. */
function writeCredentials(folder: string): number {
  const random = seeded(1);
  const account = `${folder}/whatsapp/default`;
  mkdirSync(account, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const names = [
    'creds.json',
    'creds.json.bak',
    ...Array.from({ length: PRE_KEYS }, (_, number) => `pre-key-${number + 1}.json`),
    ...Array.from({ length: SENDER_KEYS }, (_, number) => `sender-key-group-${number}@sample.json`),
    'app-state-sync-version-regular.json',
  ];
  for (const name of names) {
    const content = { sample: true, public: hex(random, 32), private: hex(random, 32) };
    writeFileSync(`${account}/${name}`, JSON.stringify(content), { mode: 0o600 });
  }
  writeFileSync(`${folder}/whatsapp-default-allowFrom.json`, '{"allowFrom":["+15550001"]}', {
    mode: 0o600,
  });
  return names.length + 1;
}

function writeRest(stateDir: string): void {
  const random = seeded(3);
  for (const folder of [
    'cron/runs',
    'devices',
    'identity',
    'logs',
    'memory',
    'completions',
    'tmp',
  ]) {
    mkdirSync(`${stateDir}/${folder}`, { recursive: true, mode: 0o700 });
  }
  const jobs = ['morning summary', 'weekly review'].map((name, number) => ({
    id: `job-${number}`,
    name,
    enabled: true,
    schedule: { kind: 'cron', expr: `0 ${7 + number} * * *` },
  }));
  writeFileSync(`${stateDir}/cron/jobs.json`, JSON.stringify({ version: 1, jobs }, null, 2));
  writeFileSync(
    `${stateDir}/devices/paired.json`,
    JSON.stringify({ phone: { token: hex(random, 16) } }),
    { mode: 0o600 },
  );
  writeFileSync(`${stateDir}/identity/device.json`, JSON.stringify({ deviceId: hex(random, 32) }), {
    mode: 0o600,
  });
  writeFileSync(`${stateDir}/exec-approvals.json`, '{"version":1,"agents":{}}', { mode: 0o600 });
  writeFileSync(`${stateDir}/openclaw.json.bak`, '{}', { mode: 0o600 });
  const log = Array.from({ length: 200 }, () => JSON.stringify({ text: sentence(random, 10) }));
  writeFileSync(`${stateDir}/logs/config-audit.jsonl`, `${log.join('\n')}\n`, { mode: 0o600 });
  writeFileSync(`${stateDir}/completions/openclaw.bash`, '# written by the program\n');
  writeFileSync(`${stateDir}/tmp/scratch`, 'temporary\n');
}
