/**
 * An install after half a year: about 20 000 files and 1.4 GB. Transcripts and databases hold what was said, media does
 * not compress, skills and plugins are many small files.
 */
import { join } from 'node:path';
import type { Seeded } from '../support/seeded.ts';
import { changeDatabase, writeDatabase, type Tree } from './tree.ts';

export type GatewayFiles = {
  readonly transcripts: readonly string[];
  readonly databases: readonly string[];
  readonly small: readonly string[];
};

type Size = { readonly home: string; readonly scale: number };

const MIB = 1024 * 1024;
const AGENTS = ['main', 'work', 'ops'] as const;
const DATABASES = [
  ['memory/main.sqlite', 240],
  ['memory/work.sqlite', 110],
  ['memory/ops.sqlite', 50],
  ['agents/main/agent/history.sqlite', 80],
] as const;

export function makeGatewayFiles(tree: Tree, size: Size, random: Seeded): GatewayFiles {
  const transcripts = makeTranscripts(tree, size, random.fork('transcripts'));
  for (const [path, mib] of DATABASES) {
    writeDatabase(tree, path, mib * MIB * size.scale, random.fork(path));
  }
  makeMedia(tree, 'media/inbound', Math.round(430 * size.scale), random.fork('media'));
  const small = makeSmallFiles(tree, size, random.fork('small'));
  return { transcripts, databases: DATABASES.map(([path]) => path), small };
}

/** 30 transcripts grow, 1 % of the database pages change, 20 new pictures, 50 small files edited. */
export function changeGatewayFiles(
  tree: Tree,
  files: GatewayFiles,
  size: Size,
  day: number,
  seed: Seeded,
): void {
  const random = seed.fork(`day ${day}`);
  for (let index = 0; index < 30; index += 1) {
    tree.append(random.pick(files.transcripts), turns(random.integer(20_000, 120_000), random));
  }
  for (const path of files.databases) changeDatabase(tree, path, 0.01, random.fork(path));
  for (const agent of AGENTS) writeSessionIndex(tree, agent, files.transcripts, size.home, day);
  makeMedia(
    tree,
    'media/inbound/later',
    Math.max(1, Math.round(20 * size.scale)),
    random.fork('new'),
  );
  for (let index = 0; index < 50; index += 1) {
    tree.write(random.pick(files.small), `edited\n${random.prose(random.skewed(300, 9000))}`);
  }
}

function makeTranscripts(tree: Tree, size: Size, random: Seeded): string[] {
  const paths: string[] = [];
  const count = Math.round(580 * size.scale);
  for (let index = 0; index < count; index += 1) {
    const path = `agents/${AGENTS[index % 3]}/sessions/${sessionId(index)}.jsonl`;
    const head = { type: 'session', version: 3, id: sessionId(index), cwd: `${size.home}/work` };
    const body = turns(random.skewed(30_000, 3_000_000), random);
    tree.write(path, `${JSON.stringify(head)}\n${body}`);
    paths.push(path);
  }
  for (const agent of AGENTS) writeSessionIndex(tree, agent, paths, size.home, 0);
  return paths;
}

function turns(wantedBytes: number, random: Seeded): string {
  const lines: string[] = [];
  for (let made = 0; made < wantedBytes;) {
    const message = {
      type: 'message',
      id: random.noise(8).toString('hex'),
      timestamp: new Date(1_767_225_600_000 + random.integer(0, 1.6e10)).toISOString(),
      message: {
        role: random.pick(['user', 'assistant', 'toolResult']),
        content: [{ type: 'text', text: random.prose(random.skewed(60, 6000)) }],
      },
    };
    const line = `${JSON.stringify(message)}\n`;
    lines.push(line);
    made += line.length;
  }
  return lines.join('');
}

function writeSessionIndex(
  tree: Tree,
  agent: string,
  transcripts: readonly string[],
  home: string,
  day: number,
): void {
  const own = transcripts.filter((path) => path.startsWith(`agents/${agent}/`));
  const entries = own.map((path, index) => {
    const sessionFile = join(home, '.openclaw', path);
    const id = path.slice(path.lastIndexOf('/') + 1, -'.jsonl'.length);
    return [
      `agent:${agent}:${index}`,
      { sessionId: id, sessionFile, updatedAt: 1000 * day + index },
    ];
  });
  const content = JSON.stringify(Object.fromEntries(entries), null, 2);
  tree.write(`agents/${agent}/sessions/sessions.json`, content);
}

function makeMedia(tree: Tree, folder: string, count: number, random: Seeded): void {
  for (let index = 0; index < count; index += 1) {
    const name = `${folder}/photo-${random.noise(6).toString('hex')}.jpg`;
    tree.write(name, random.noise(random.skewed(150_000, 4_000_000)));
  }
}

/** Folders as in published plugins, which have 7 to 9 files in each, and skills, which have fewer. */
function makeSmallFiles(tree: Tree, size: Size, random: Seeded): string[] {
  const paths: string[] = [];
  const add = (path: string, bytes: number): void => {
    tree.write(path, `// ${path}\n${random.prose(bytes)}\n`);
    paths.push(path);
  };
  const some = (count: number): number => Math.max(1, Math.round(count * size.scale));
  for (let skill = 0; skill < some(300); skill += 1) {
    add(`skills/skill-${skill}/SKILL.md`, random.skewed(800, 12_000));
    for (let file = 0; file < 9; file += 1) {
      const folder = ['scripts', 'references', 'assets'][file % 3];
      add(`skills/skill-${skill}/${folder}/part-${file}.md`, random.skewed(300, 9000));
    }
  }
  for (let plugin = 0; plugin < some(40); plugin += 1) {
    for (let file = 0; file < 340; file += 1) {
      const path = `extensions/plugin-${plugin}/dist/part-${file % 42}/module-${file}.js`;
      add(path, random.skewed(200, 16_000));
    }
  }
  for (let note = 0; note < some(1500); note += 1) {
    add(`workspace/memory/2026-${note % 12}/note-${note}.md`, random.skewed(200, 8000));
  }
  for (let key = 0; key < some(800); key += 1) {
    const content = { keyId: key, private: random.noise(32).toString('base64') };
    tree.write(`credentials/whatsapp/default/pre-key-${key}.json`, JSON.stringify(content));
  }
  return paths;
}

const sessionId = (index: number): string =>
  `${(index * 7919).toString(16).padStart(8, '0')}-5e55-4000-8000-${String(index).padStart(12, '0')}`;
