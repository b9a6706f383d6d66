/**
 * Imported before the code under test: puts light stand-ins in the place of some of its modules. No
 * stand-in decides anything that a rule is about. Cryptography is cheap, and still every change, wrong
 * key and forgery shows; JSON is not held against its schema, since only what was sealed or signed is
 * opened; a chunk is its id, and a snapshot itself tells which ones it has, instead of trees; packs are
 * small; names and keys are worked out once; and what opens an object remembers the answer for these
 * very bytes, since a world opens the same ones every night.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { registerHooks } from 'node:module';

const LIGHT: ReadonlyMap<string, string> = new Map(
  [
    'crypto/chunk-id.ts',
    'crypto/frames.ts',
    'crypto/kdf.ts',
    'crypto/signature.ts',
    'crypto/sizes.ts',
    'format/forget-record.ts',
    'format/index-object.ts',
    'format/json.ts',
    'format/names.ts',
    'format/pack-list.ts',
    'format/repack-record.ts',
    'format/repository-header.ts',
    'format/revocation.ts',
    'format/snapshot.ts',
    'format/tombstone.ts',
    'maintenance/check/check-packs.ts',
    'maintenance/repack/living-chunks.ts',
    'maintenance/repack/visit-chunks.ts',
    'repository/boxed.ts',
    'repository/machine.ts',
    'repository/pack-reader.ts',
    'repository/snapshots.ts',
    'workers/limits.ts',
  ].map((path) => {
    const real = urlOf(`../../../src/${path}`);
    assert.ok(existsSync(new URL(real)), `${path} is there, or nobody would get its stand-in`);
    return [real, urlOf(`./${path.split('/').at(-1)}`)];
  }),
);

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isDoor = context.parentURL?.endsWith('/src/crypto/sodium.ts') === true;
    if (isDoor && specifier === 'libsodium-wrappers') {
      return { url: urlOf('./sodium.ts'), shortCircuit: true };
    }
    const resolved = nextResolve(specifier, context);
    const light = LIGHT.get(resolved.url);
    // The stand-in itself has the real one.
    return light && light !== context.parentURL ? { ...resolved, url: light } : resolved;
  },
});

function urlOf(path: string): string {
  return new URL(path, import.meta.url).href;
}
