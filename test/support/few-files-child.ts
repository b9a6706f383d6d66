/**
 * Everything that opens files, in a process that may open just so many more: `few-files-child.ts FOLDER FREE…` prints
 * for each number of files left what each of it said: `done`, the code of an error, or in words what it made of it.
 */
import { closeSync, openSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { bytePathFromText } from '../../src/base/byte-path.ts';
import { FerryError } from '../../src/base/errors.ts';
import { readLive } from '../../src/fs/read-live.ts';
import { captureSqlite } from '../../src/fs/sqlite-capture.ts';
import { restingDatabase } from '../../src/fs/sqlite-resting.ts';
import { walkTree } from '../../src/fs/walk.ts';
import { askDatabase } from '../../src/gateway/disk/database.ts';
import { runProcess } from '../../src/process/run.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { openFolderStore } from '../../src/store/folder-store.ts';
import { Tasks } from '../../src/workers/tasks.ts';

const [folder = '', ...frees] = process.argv.slice(2);
const { signal } = new AbortController();
const at = (name: string): string => join(folder, name);
const pathOf = (name: string) => bytePathFromText(at(name));

writeFileSync(at('a.txt'), '{}\n');
for (const mode of ['delete', 'wal']) {
  const database = new DatabaseSync(at(`${mode}.db`));
  database.exec(`PRAGMA journal_mode = ${mode}; CREATE TABLE turns (body TEXT)`);
  database.close();
  utimesSync(at(`${mode}.db`), 1e9, 1e9);
}
// Stamps of now are too fresh to be believed.
const now = Date.now.bind(Date);
Date.now = () => now() + 60_000;
const store = await openFolderStore(at('store'), { createRoot: true });
const NAME = 'stateferry.json';
await store.put(NAME, Buffer.from('{}'), { createOnly: false }, signal);
const openCache = (): LocalCache =>
  LocalCache.open(at('cache'), 'repository', (event) => {
    throw new Error(JSON.stringify(event));
  });
const cache = openCache();
cache.setFact('kept', 'yes');
cache.close();

const attempts: Readonly<Record<string, () => unknown>> = {
  walk: () => {
    const items = [...walkTree(bytePathFromText(folder), {})];
    return items.find(({ kind }) => kind === 'problem') ?? 'done';
  },
  read: () => {
    const options = { buffer: Buffer.alloc(4096), chunkBytes: 4096 };
    const sink = { onChunk: () => undefined, onRestart: () => undefined };
    const answer = readLive(pathOf('a.txt'), options, sink);
    return answer.kind === 'read' ? 'done' : answer;
  },
  resting: () => (restingDatabase(pathOf('delete.db')) ? 'done' : 'at work'),
  captured: async () => {
    const answer = await captureSqlite(pathOf('delete.db'), pathOf('copy'));
    return answer.kind === 'captured' && answer.way === 'backup' ? 'done' : answer;
  },
  'captured from WAL': async () => {
    const answer = await captureSqlite(pathOf('wal.db'), pathOf('copy'));
    return answer.kind === 'captured' && answer.way === 'immutable' ? 'done' : answer;
  },
  asked: () => askDatabase(pathOf('wal.db'), () => 'done'),
  cache: () => {
    const again = openCache();
    const kept = again.fact('kept');
    again.close();
    return kept === 'yes' ? 'done' : 'forgotten';
  },
  get: async () => ((await store.get(NAME, undefined, signal)) ? 'done' : 'not there'),
  put: async () => {
    await store.put(NAME, Buffer.from('{}'), { createOnly: false }, signal);
    return 'done';
  },
  process: async () => {
    const env = { PATH: '/usr/bin:/bin' };
    const ran = await runProcess('true', [], { env, timeoutMs: 60_000, signal });
    return ran.exit === 0 ? 'done' : ran;
  },
  thread: async () => {
    const tasks = new Tasks(1, () => undefined);
    const job = { type: 'judge', path: pathOf('a.txt'), kind: 'records' } as const;
    try {
      return (await tasks.run('judged', job)).verdict.wrong ?? 'done';
    } finally {
      await tasks.close();
    }
  },
};

for (const free of frees.map(Number)) {
  const said: Record<string, unknown> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    const held = holdAllBut(free);
    said[name] = await outcomeOf(attempt);
    for (const file of held) closeSync(file);
  }
  process.stdout.write(`${JSON.stringify({ free, said })}\n`);
}

function holdAllBut(free: number): number[] {
  const held: number[] = [];
  try {
    for (;;) held.push(openSync('/dev/null', 'r'));
  } catch {
    for (const file of held.splice(0, free)) closeSync(file);
    return held;
  }
}

async function outcomeOf(attempt: () => unknown): Promise<unknown> {
  try {
    return await attempt();
  } catch (error) {
    return error instanceof FerryError && error.code !== 'bug' ? error.code : String(error);
  }
}
