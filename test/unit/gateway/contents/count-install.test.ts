import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { countInstall, inPlace } from '../../../../src/gateway/contents/count-install.ts';

const home = mkdtempSync(join(tmpdir(), 'counts-'));
after(() => rmSync(home, { recursive: true, force: true }));

test('transcripts are counted where they are, though the index lies elsewhere', () => {
  const stateDir = join(home, 'state');
  const own = join(stateDir, 'agents/main/sessions');
  const talks = join(home, 'talks/main');
  for (const folder of [own, talks]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(talks, 'sessions.json'), '{"agent:main:main":{"sessionId":"a"}}');
  writeFileSync(join(talks, 'b.jsonl'), '{}\n');
  writeFileSync(join(own, 'a.jsonl'), '{}\n');
  const count = (sessionsDir: string): unknown => {
    const agents = [{ id: 'main', sessionsDir, agentDir: join(stateDir, 'agents/main/agent') }];
    return countInstall({ stateDir, agents, workspaces: [], config: {}, locate: inPlace }).agents;
  };
  assert.deepEqual(count(talks), [{ id: 'main', sessions: 1, transcripts: 2 }]);
  assert.deepEqual(count(own), [{ id: 'main', sessions: 0, transcripts: 1 }]);
});

test('a database that is damaged, or that others keep closed, counts as nothing', () => {
  const stateDir = join(home, 'damaged');
  const agentDir = join(stateDir, 'agents/main/agent');
  const sessionsDir = join(stateDir, 'agents/main/sessions');
  for (const folder of [agentDir, sessionsDir, join(stateDir, 'state')]) {
    mkdirSync(folder, { recursive: true });
  }
  for (const path of [`${agentDir}/openclaw-agent.sqlite`, `${stateDir}/state/openclaw.sqlite`]) {
    writeFileSync(path, 'no database at all');
  }
  writeFileSync(join(sessionsDir, 'sessions.json'), '{"agent:main:main":{"sessionId":"a"}}');
  const agents = [{ id: 'main', sessionsDir, agentDir }];
  const input = { stateDir, agents, workspaces: [], config: {}, locate: inPlace };
  const counted = countInstall(input);
  assert.deepEqual(counted.agents, [{ id: 'main', sessions: 1, transcripts: 0 }]);
  assert.equal(counted.cronJobs, 0);
});
