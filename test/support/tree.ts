/** Small trees made from a seed, and a comparison that forgives nothing. */
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createHash } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { dirname, join } from 'node:path';

export type TreeOptions = {
  /** Incompressible content beside the small files, in files of 300 KiB. */
  readonly bulkBytes?: number;
  readonly databases?: boolean;
};

/** The same seed makes the same content (times apart). */
export function makeTree(folder: string, seed: number, options: TreeOptions = {}): void {
  mkdirSync(join(folder, 'agents/main/sessions'), { recursive: true });
  mkdirSync(join(folder, 'credentials'), { recursive: true });
  mkdirSync(join(folder, 'empty'), { recursive: true });
  for (let number = 0; number < 12; number++) {
    const record = JSON.stringify({ seed, number, text: words(seed + number, 40) });
    writeFileSync(join(folder, `agents/main/sessions/s${number}.jsonl`), `${record}\n`);
  }
  writeFileSync(join(folder, 'openclaw.json'), `{ "seed": ${seed} }\n`);
  writeFileSync(join(folder, 'zero'), '');
  writeFileSync(join(folder, 'credentials/token.json'), words(seed + 77, 20), { mode: 0o600 });
  symlinkSync('../openclaw.json', join(folder, 'agents/config-link'));
  symlinkSync('/nowhere/at/all', join(folder, 'dangling'));
  linkSync(join(folder, 'openclaw.json'), join(folder, 'openclaw.json.bak'));
  chmodSync(join(folder, 'agents'), 0o750);
  for (let done = 0, number = 0; done < (options.bulkBytes ?? 0); number++) {
    const bytes = noise(
      seed * 1000 + number,
      Math.min(BULK_FILE_BYTES, (options.bulkBytes ?? 0) - done),
    );
    writeFileSync(join(folder, `bulk-${String(number).padStart(3, '0')}`), bytes);
    done += bytes.length;
  }
  if (options.databases === true) makeDatabase(join(folder, 'memory.sqlite'), seed);
}

const BULK_FILE_BYTES = 300 * 1024;

function makeDatabase(path: string, seed: number): void {
  const db = new DatabaseSync(path);
  db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)');
  const insert = db.prepare('INSERT INTO notes (text) VALUES (?)');
  for (let row = 0; row < 200; row++) insert.run(words(seed + row, 30));
  db.close();
}

/** Bytes that do not compress, by seed. */
export function noise(seed: number, bytes: number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0, block = 0; at < bytes; at += 64, block++) {
    pieces.push(createHash('sha512').update(`${seed} ${block}`).digest());
  }
  return Buffer.concat(pieces).subarray(0, bytes);
}

/** Texts by their path, for the owner alone; folders are made as they are needed. */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text, { mode: 0o600 });
  }
}

const words = (seed: number, count: number): string =>
  noise(seed, count * 2)
    .toString('hex')
    .replaceAll(/(.{5})/g, '$1 ');

/** What there is to compare of one entry. */
type Seen = {
  readonly type: string;
  readonly mode: string;
  readonly mtimeNs: bigint | undefined;
  readonly content: string;
};

/** Every entry of a tree by its name as bytes (one character each). */
export function scanTree(folder: string): Map<string, Seen> {
  const seen = new Map<string, Seen>();
  const inodes = new Map<bigint, string>();
  const visit = (path: string): void => {
    const full = Buffer.from(path === '' ? latin1(folder) : `${latin1(folder)}/${path}`, 'latin1');
    const stat = lstatSync(full, { bigint: true });
    const mode = (Number(stat.mode) & 0o7777).toString(8);
    const { mtimeNs } = stat;
    if (stat.isDirectory()) {
      seen.set(path, { type: 'dir', mode, mtimeNs, content: '' });
      const names = readdirSync(full, { encoding: 'latin1' }).toSorted();
      for (const name of names) visit(path === '' ? name : `${path}/${name}`);
    } else if (stat.isSymbolicLink()) {
      const target = readlinkSync(full, { encoding: 'latin1' });
      seen.set(path, { type: 'symlink', mode: '', mtimeNs, content: target });
    } else {
      const first = inodes.get(stat.ino) ?? path;
      inodes.set(stat.ino, first);
      const hash = createHash('sha256').update(readFileSync(full)).digest('hex');
      seen.set(path, { type: `file of ${first}`, mode, mtimeNs, content: `${stat.size} ${hash}` });
    }
  };
  visit('');
  return seen;
}

const latin1 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** Every difference between two trees, in words; none: they are the same. */
export function treeDifferences(expected: string, actual: string, forgive = /^$/): string[] {
  const [a, b] = [scanTree(expected), scanTree(actual)];
  const differences: string[] = [];
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    if (name !== '' && forgive.test(name)) continue;
    const [one, other] = [a.get(name), b.get(name)];
    const shown = Buffer.from(name, 'latin1').toString();
    if (!one || !other) differences.push(`${shown}: ${one ? 'missing' : 'too many'}`);
    else differences.push(...entryDifferences(shown, one, other));
  }
  return differences;
}

function entryDifferences(name: string, expected: Seen, actual: Seen): string[] {
  return (['type', 'mode', 'mtimeNs', 'content'] as const).flatMap((what) =>
    expected[what] === actual[what]
      ? []
      : [`${name}: ${what} is ${actual[what]}, was ${expected[what]}`],
  );
}
