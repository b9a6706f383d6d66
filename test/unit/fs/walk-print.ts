/** Prints a walk, for tests that need it done by somebody else than root. */
import { bytePathFromText } from '../../../src/base/byte-path.ts';
import { walkTree } from '../../../src/fs/walk.ts';

for (const item of walkTree(bytePathFromText(process.argv[2] ?? ''))) {
  process.stdout.write(`${item.kind} ${item.path} ${item.kind === 'problem' ? item.code : ''}\n`);
}
