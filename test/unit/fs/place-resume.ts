/** Places one file over what an earlier run finished as read-only, for tests that need it done without root. */
import { asBytePath, bytePathFromText } from '../../../src/base/byte-path.ts';
import { createPlacer } from '../../../src/fs/place.ts';

const stage = bytePathFromText(process.argv[2] ?? '');
for (const bytes of ['first', 'again']) {
  const placer = createPlacer({ stage, setIdAllowed: false });
  placer.writeChunk(asBytePath('dir/file'), 0, Buffer.from(bytes), false);
  placer.finishFile(asBytePath('dir/file'), bytes.length, { mode: 0o444 });
  placer.placeFile(asBytePath('dir/small'), Buffer.from(bytes), { mode: 0o000 });
  const reading = { buffer: new Uint8Array(8), chunkBytes: 8, onChunk: () => undefined };
  placer.readExisting(asBytePath('dir/small'), 5, reading);
  placer.finishDirectory(asBytePath('dir'), { mode: 0o500 });
  placer.close();
}
