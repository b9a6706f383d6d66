/** Agents of the sample: session indexes with absolute paths, transcripts, keys. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { seeded, sentence, sessionId } from './sample-content.ts';

export type SampleAgent = {
  readonly id: string;
  readonly sessions: number;
  readonly workspace: string;
};

const EPOCH_MS = Date.UTC(2026, 2, 1, 8);
const MINUTE_MS = 60_000;

export type WrittenAgent = { readonly id: string; readonly transcripts: readonly string[] };

export function writeAgent(stateDir: string, agent: SampleAgent): WrittenAgent {
  const random = seeded(Buffer.from(agent.id).reduce((sum, byte) => sum * 31 + byte, 7));
  const sessions = `${stateDir}/agents/${agent.id}/sessions`;
  const own = `${stateDir}/agents/${agent.id}/agent`;
  mkdirSync(sessions, { recursive: true });
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const profiles = {
    'sample:default': { type: 'api_key', provider: 'sample', key: 'sample-key-not-a-secret' },
  };
  writeFileSync(`${own}/auth-profiles.json`, JSON.stringify({ version: 1, profiles }, null, 2), {
    mode: 0o600,
  });
  const index: Record<string, unknown> = {};
  const transcripts: string[] = [];
  for (let number = 0; number < agent.sessions; number += 1) {
    const id = sessionId(random);
    const path = `${sessions}/${id}.jsonl`;
    const startedMs = EPOCH_MS + number * 60 * MINUTE_MS;
    const turns = 4 + Math.floor(random() * 60);
    writeFileSync(path, transcript(random, { id, cwd: agent.workspace, startedMs, turns }), {
      mode: 0o600,
    });
    transcripts.push(path);
    const key =
      number === 0
        ? `agent:${agent.id}:main`
        : `agent:${agent.id}:whatsapp:direct:+1555000${number}`;
    index[key] = {
      sessionId: id,
      updatedAt: startedMs + turns * MINUTE_MS,
      sessionFile: path,
      skillsSnapshot: {
        resolvedSkills: [{ name: 'notes', filePath: '/opt/program/skills/notes/SKILL.md' }],
      },
    };
  }
  writeFileSync(`${sessions}/sessions.json`, JSON.stringify(index, null, 2), { mode: 0o600 });
  // Left over, on purpose: these do not travel.
  writeFileSync(`${sessions}/sessions.json.lock`, '{"pid":1}');
  writeFileSync(`${sessions}/sessions.json.4711.tmp`, '{');
  return { id: agent.id, transcripts };
}

/** One more exchange at the end of a transcript, as a running gateway would write it. */
export function appendTurn(path: string, number: number): void {
  appendFileSync(path, turnLines(seeded(number + 1), EPOCH_MS + number, number));
}

type Talk = {
  readonly id: string;
  readonly cwd: string;
  readonly startedMs: number;
  readonly turns: number;
};

function transcript(random: () => number, talk: Talk): string {
  const { id, cwd, startedMs, turns } = talk;
  const head = {
    type: 'session',
    version: 3,
    id,
    timestamp: new Date(startedMs).toISOString(),
    cwd,
  };
  const lines = Array.from({ length: turns }, (_, at) =>
    turnLines(random, startedMs + at * MINUTE_MS, at),
  );
  return `${JSON.stringify(head)}\n${lines.join('')}`;
}

function turnLines(random: () => number, atMs: number, number: number): string {
  const message = (role: string, words: number): string => {
    const content = [{ type: 'text', text: sentence(random, words) }];
    const timestamp = new Date(atMs).toISOString();
    return `${JSON.stringify({ type: 'message', id: `m${number}-${role}`, timestamp, message: { role, content } })}\n`;
  };
  return message('user', 12) + message('assistant', 60);
}
