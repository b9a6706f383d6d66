/** File names and kinds that careless tools lose. All of them are legal, and all of them have been seen. */
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { systemCode } from '../../base/errors.ts';

const SPARSE_BYTES = 8 * 1024 * 1024;

/** Answers how many of the names the file system did not take (macOS refuses names that are not UTF-8). */
export function writeOddities(folder: string): number {
  mkdirSync(folder, { recursive: true });
  const names = [
    Buffer.from('two\nlines.md'),
    Buffer.from('tab\tand "quotes" \'both\'.md'),
    Buffer.from([0x6c, 0x61, 0x74, 0x69, 0x6e, 0xe9, 0x2e, 0x74, 0x78, 0x74]),
    Buffer.from('caf\u00e9.md'),
    Buffer.from('cafe\u0301.md'),
    Buffer.from(`${'n'.repeat(251)}.txt`),
    Buffer.from(' leading and trailing '),
    Buffer.from('-rf'),
    Buffer.from('日本語 😀.md'),
  ];
  let refused = 0;
  for (const name of names) {
    const path = Buffer.concat([Buffer.from(`${folder}/`), name]);
    try {
      writeFileSync(path, `this file is called ${JSON.stringify(name.toString('latin1'))}\n`);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      refused += 1;
    }
  }
  writeKinds(folder);
  return refused;
}

function writeKinds(folder: string): void {
  writeFileSync(`${folder}/empty-file`, '');
  mkdirSync(`${folder}/empty-folder`, { recursive: true });
  mkdirSync(`${folder}/shared`, { recursive: true });
  chmodSync(`${folder}/shared`, 0o2775);
  writeFileSync(`${folder}/shared/private.md`, 'for one pair of eyes\n', { mode: 0o600 });
  writeFileSync(`${folder}/one-name.md`, 'one file, two names\n');
  linkSync(`${folder}/one-name.md`, `${folder}/other-name.md`);
  symlinkSync('one-name.md', `${folder}/link-relative`);
  symlinkSync('nowhere/at/all', `${folder}/link-dangling`);
  symlinkSync('.', `${folder}/link-loop`);
  symlinkSync('/usr/share/doc', `${folder}/link-absolute`);
  writeSparse(`${folder}/sparse.bin`);
  writeFileSync(`${folder}/old.md`, 'from another century\n');
  utimesSync(`${folder}/old.md`, 86_400.123456789, 86_400.123456789);
}

/** Two written ends and a hole between them. */
function writeSparse(path: string): void {
  const file = openSync(path, 'w');
  try {
    ftruncateSync(file, SPARSE_BYTES);
    writeSync(file, 'begin', 0);
    writeSync(file, 'end', SPARSE_BYTES - 3);
  } finally {
    closeSync(file);
  }
}
