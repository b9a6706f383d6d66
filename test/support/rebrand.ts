/**
 * Doubles of brands that nobody publishes: the real product with its names substituted in its files, as its forks did.
 * Kept beside the products; what it depends on is linked, and files without a name are the same file twice.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { productsFolder, type Product } from './products.ts';

export type Rebrand = {
  readonly name: string;
  /** What stands instead of what, in file names and contents; the first that fits counts. */
  readonly words: readonly (readonly [from: string, to: string])[];
};

/** The double, made if it is not there yet; a folder that exists is complete. */
export function rebranded(original: Product, rebrand: Rebrand): Product {
  const { name, words } = rebrand;
  const rename = renamer(words);
  const recipe = createHash('sha256').update(JSON.stringify(rebrand)).digest('hex').slice(0, 8);
  const folder = join(productsFolder(), `${name}-${original.version}-${recipe}`);
  if (!existsSync(folder)) make(original, rebrand, folder);
  const binDir = join(folder, 'node_modules/.bin');
  return {
    ...original,
    name,
    apiName: rename(original.apiName),
    envPrefix: rename(original.envPrefix),
    binDir,
    cliPath: join(binDir, name),
  };
}

function make(original: Product, rebrand: Rebrand, folder: string): void {
  const from = dirname(original.binDir);
  const temporary = mkdtempSync(`${folder}.tmp-`);
  try {
    const modules = join(temporary, 'node_modules');
    mkdirSync(join(modules, '.bin'), { recursive: true });
    for (const name of readdirSync(from)) {
      if (name.startsWith('.') || name === original.name) continue;
      symlinkSync(join(relative(join(folder, 'node_modules'), from), name), join(modules, name));
    }
    const rename = renamer(rebrand.words);
    copyRenamed(join(from, original.name), join(modules, rebrand.name), rename);
    const entry = rename(readlinkSync(join(from, '.bin', original.name)));
    symlinkSync(entry, join(modules, '.bin', rebrand.name));
    renameSync(temporary, folder);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    // Another test process may have been first.
    if (!existsSync(folder)) throw error;
  }
}

type Rename = (text: string) => string;

function renamer(words: Rebrand['words']): Rename {
  const pattern = new RegExp(words.map(([from]) => RegExp.escape(from)).join('|'), 'g');
  const table = new Map(words);
  return (text) => text.replaceAll(pattern, (word) => table.get(word) ?? word);
}

function copyRenamed(from: string, to: string, rename: Rename): void {
  const stats = lstatSync(from);
  if (stats.isSymbolicLink()) symlinkSync(rename(readlinkSync(from)), to);
  else if (stats.isDirectory()) {
    mkdirSync(to);
    for (const name of readdirSync(from)) {
      copyRenamed(join(from, name), join(to, rename(name)), rename);
    }
  } else copyFile(from, to, rename);
}

/** Byte for byte but for the names; a file of something else than text is not looked into. */
function copyFile(from: string, to: string, rename: Rename): void {
  const text = readFileSync(from).toString('latin1');
  const renamed = text.includes('\0') ? text : rename(text);
  if (renamed === text) return linkSync(from, to);
  writeFileSync(to, Buffer.from(renamed, 'latin1'));
  chmodSync(to, lstatSync(from).mode);
}
