/**
 * A small install with everything that makes placing hard: a profile (so that it shares single files with the default
 * one), a workspace outside the state dir, and one in a folder of the state dir that snapshots leave out.
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const SMALL_INSTALL = 'openclaw:work';

export function writeSmallInstall(home: string, port: number): void {
  const state = join(home, '.openclaw-work');
  const workspace = join(home, 'my things/work space');
  const inner = join(state, 'tmp/ws');
  const sessions = join(state, 'agents/main/sessions');
  const transcript = join(sessions, 'first.jsonl');
  const config = {
    meta: { lastTouchedVersion: '2026.3.2' },
    gateway: { mode: 'local', port },
    agents: {
      defaults: { workspace },
      list: [
        { id: 'main', default: true },
        { id: 'temp', workspace: inner },
      ],
    },
  };
  write(join(state, 'openclaw.json'), JSON.stringify(config, undefined, 2));
  write(
    join(sessions, 'sessions.json'),
    JSON.stringify({ a: { sessionId: 'first', sessionFile: transcript } }),
  );
  write(transcript, '{"type":"session"}\n');
  write(join(state, 'tmp/scratch'), 'not part of a snapshot');
  write(join(inner, 'NOTES.md'), 'notes of the agent in tmp');
  write(join(workspace, 'SOUL.md'), 'a soul');
  write(join(workspace, 'memory/one.md'), 'one');
  write(join(home, '.openclaw/exec-approvals.json'), '{"version":1}');
  write(join(home, '.openclaw/unrelated.txt'), 'of the default profile, not of this one');
  chmodSync(join(home, '.openclaw'), 0o710);
  chmodSync(state, 0o700);
  chmodSync(inner, 0o750);
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text, { mode: 0o600 });
}
