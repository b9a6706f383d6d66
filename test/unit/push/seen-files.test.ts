import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { asBytePath } from '../../../src/base/byte-path.ts';
import { cryptoReady } from '../../../src/crypto/sodium.ts';
import { openSeen, SeenCollector, type SeenFile } from '../../../src/push/seen-files.ts';
import { LocalCache } from '../../../src/repository/cache.ts';
import { noise } from '../../support/tree.ts';
import { tempDir } from '../fs/temp-dir.ts';

const DIRECTORY = asBytePath('memory');
const LARGE = 700_000;

const fileOf = (name: string, idBytes: number, seed = idBytes): SeenFile => ({
  name: asBytePath(name),
  stat: noise(seed + 1, 40),
  fingerprint: '',
  rest: noise(seed + 2, 60),
  ids: noise(seed, idBytes),
});

const FILES = [fileOf('a', 32), fileOf('b', LARGE), fileOf('c', 0), fileOf('d', LARGE + 32)];

function scene(folder: string) {
  const cache = LocalCache.open(folder, 'r', () => assert.fail('the cache works'));
  const seen = { cache, install: 'openclaw', root: 'state' };
  const save = (files: readonly SeenFile[]): void => {
    const collector = new SeenCollector();
    for (const file of files) collector.add(file, true);
    collector.save(seen, DIRECTORY);
  };
  const found = (): string[] => {
    const directory = openSeen(seen, DIRECTORY);
    return ['a', 'b', 'c', 'd'].filter((name) => {
      const file = directory.find(asBytePath(name));
      const expected = FILES.find((one) => one.name === name);
      if (file === undefined) return false;
      for (const part of ['stat', 'rest', 'ids'] as const) {
        assert.ok(
          expected && Buffer.compare(file[part], expected[part]) === 0,
          `${part} of ${name}`,
        );
      }
      return true;
    });
  };
  return { cache, save, found };
}

before(cryptoReady);

test('files with few ids and with many come back as they were', (context) => {
  const { cache, save, found } = scene(tempDir(context));
  save(FILES.toReversed());
  assert.deepEqual(found(), ['a', 'b', 'c', 'd']);
  cache.close();
});

test('a file of which a slice is gone is not believed, the others are', (context) => {
  const { cache, save, found } = scene(tempDir(context));
  save(FILES);
  cache.dropObject('ids 1 of openclaw state memory/b');
  assert.deepEqual(found(), ['a', 'c', 'd']);
  cache.close();
});

test('slices of a save that was killed before its row are not believed', (context) => {
  const { cache, save, found } = scene(tempDir(context));
  save(FILES);
  cache.setObject('ids 0 of openclaw state memory/b', noise(5, 256 * 1024));
  cache.setObject('ids 2 of openclaw state memory/d', noise(6, 10));
  assert.deepEqual(found(), ['a', 'c']);
  save(FILES);
  assert.deepEqual(found(), ['a', 'b', 'c', 'd']);
  cache.close();
});
