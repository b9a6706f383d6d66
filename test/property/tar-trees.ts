/** Random trees as tar items, and what a file system shows of them after somebody unpacked them. */
import { spawnSync } from 'node:child_process';
import { lstatSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { asBytePath, joinBytes, toFsPath, type BytePath } from '../../src/base/byte-path.ts';
import { walkTree } from '../../src/fs/walk.ts';
import type { TarEntry } from '../../src/tar/tar-entry.ts';
import type { TarItem } from '../../src/tar/write-tar.ts';

export type TreeEntry = { readonly entry: TarEntry; readonly content: Buffer };

/** Only Linux keeps any bytes as a name. */
const byte =
  process.platform === 'linux'
    ? fc.integer({ min: 1, max: 255 })
    : fc.integer({ min: 32, max: 126 });

const name = fc
  .oneof(
    { weight: 4, arbitrary: fc.array(byte, { minLength: 1, maxLength: 20 }) },
    { weight: 1, arbitrary: fc.array(byte, { minLength: 90, maxLength: 255 }) },
  )
  .map((bytes) => String.fromCharCode(...bytes).replaceAll('/', '_'))
  .filter((text) => text !== '.' && text !== '..' && !text.startsWith('._'));

const mtimeNs = fc
  .tuple(fc.integer({ min: 0, max: 4_000_000_000 }), fc.integer({ min: 0, max: 999_999_999 }))
  .map(([seconds, ns]) => BigInt(seconds) * 1_000_000_000n + BigInt(ns));

type Node = {
  readonly name: string;
  readonly kind: 'dir' | 'file' | 'symlink' | 'hardlink';
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly content: Uint8Array;
  readonly target: string;
  readonly children: readonly Node[];
};

const node: fc.Memo<Node> = fc.memo((depth) =>
  fc.record({
    name,
    kind: fc.constantFrom('dir', 'dir', 'file', 'file', 'symlink', 'hardlink'),
    mode: fc.integer({ min: 0, max: 0o777 }),
    mtimeNs,
    content: fc.uint8Array({ maxLength: 2000 }),
    target: fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
    children: depth <= 1 ? fc.constant([]) : fc.array(node(depth - 1), { maxLength: 4 }),
  }),
);

/** A tree with its top, in the order of a walk, owned by whoever runs the test. */
export const tree: fc.Arbitrary<readonly TreeEntry[]> = fc
  .record({ children: fc.array(node(4), { maxLength: 6 }), mtimeNs })
  .map(({ children, ...top }) => {
    const root = {
      name: '',
      kind: 'dir',
      mode: 0o755,
      content: Buffer.alloc(0),
      target: '',
    } as const;
    return entriesOf(asBytePath(''), { ...root, ...top, children }, []);
  });

function entriesOf(path: BytePath, node: Node, files: BytePath[]): TreeEntry[] {
  const owner = {
    uid: process.getuid?.() ?? 0,
    gid: process.getgid?.() ?? 0,
    owner: '',
    group: '',
  };
  const base = { path, mtimeNs: node.mtimeNs, ...owner };
  const content = Buffer.alloc(0);
  const target = files[node.mode % Math.max(1, files.length)];
  if (node.kind === 'dir') {
    const children = new Map(node.children.map((child) => [child.name, child]));
    const below = [...children.values()]
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((child) => entriesOf(joinBytes(path, asBytePath(child.name)), child, files));
    return [{ entry: { ...base, type: 'dir', mode: node.mode | 0o700 }, content }, ...below];
  }
  if (node.kind === 'symlink') {
    const link = {
      ...base,
      type: 'symlink',
      mode: 0o777,
      target: asBytePath(node.target),
    } as const;
    return [{ entry: link, content }];
  }
  if (node.kind === 'hardlink' && target !== undefined) {
    return [{ entry: { ...base, type: 'hardlink', mode: 0o600, target }, content }];
  }
  files.push(path);
  const file = {
    ...base,
    type: 'file',
    mode: node.mode | 0o400,
    size: node.content.length,
  } as const;
  return [{ entry: file, content: Buffer.from(node.content) }];
}

export async function* itemsOf(entries: readonly TreeEntry[]): AsyncGenerator<TarItem, void> {
  for (const { entry, content } of entries) {
    yield { under: asBytePath('top'), entry, content: piecesOf(content) };
  }
}

async function* piecesOf(content: Buffer): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < content.length; at += 700) yield content.subarray(at, at + 700);
}

/** One line an entry: all that a tar should bring over. `exact`: with nanoseconds. */
export function linesOf(entries: readonly TreeEntry[], exact = true): string[] {
  const byPath = new Map(entries.map((one) => [one.entry.path, one]));
  return entries.map(({ entry, content }) => {
    const linked = entry.type === 'hardlink' ? byPath.get(entry.target) : undefined;
    const shown = linked === undefined ? { entry, content } : linked;
    return line(entry.path, shown.entry, shown.content, exact);
  });
}

/** The same of a folder; hard links show as the files that they are. */
export function linesBelow(folder: BytePath, exact = true): string[] {
  return [...walkTree(folder)].map((item) => {
    if (item.kind !== 'entry') throw new Error(`${item.kind}: ${item.path}`);
    const full = toFsPath(joinBytes(folder, item.path));
    const target = item.linkTarget ?? asBytePath('');
    const entry = { ...item, target, owner: '', group: '' };
    const content = item.type === 'file' ? readFileSync(full) : Buffer.alloc(0);
    return line(item.path, entry, content, exact);
  });
}

type Shown = Pick<TarEntry, 'type' | 'mode' | 'mtimeNs'> & { readonly target?: BytePath };

function line(path: BytePath, entry: Shown, content: Buffer, exact: boolean): string {
  const time = exact ? entry.mtimeNs : entry.mtimeNs / 1_000_000_000n;
  const target = entry.type === 'symlink' ? entry.target : '';
  // A link's own mode is the system's, and macOS sets it as it likes.
  const mode = entry.type === 'symlink' ? '' : entry.mode.toString(8);
  return JSON.stringify([
    path,
    entry.type,
    mode,
    time.toString(),
    target,
    content.toString('base64'),
  ]);
}

export const isSameFile = (a: BytePath, b: BytePath): boolean =>
  lstatSync(toFsPath(a)).ino === lstatSync(toFsPath(b)).ino;

export const hasTool = (command: string): boolean =>
  spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

export function run(command: string, args: readonly string[]): void {
  const env = { PATH: process.env['PATH'], LC_ALL: 'C.UTF-8' };
  const ran = spawnSync(command, args, { env, encoding: 'utf8' });
  if (ran.status !== 0) throw new Error(`${command} ${args.join(' ')}: ${ran.stderr}`);
}
