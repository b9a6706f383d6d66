/**
 * Imported before the code under test: puts light stand-ins in the place of some of its modules. Cryptography is cheap,
 * and what opens an object remembers the answer: a world opens the same ones every night.
 */
import { registerHooks } from 'node:module';

const LIGHT: ReadonlyMap<string, string> = new Map(
  [
    'maintenance/check-packs.ts',
    'repository/boxed.ts',
    'repository/snapshots.ts',
    'format/forget-record.ts',
    'format/index-object.ts',
    'format/pack-list.ts',
    'format/tombstone.ts',
  ].map((path) => {
    const [, file = ''] = path.split('/');
    return [urlOf(`../../../src/${path}`), urlOf(`./${file}`)];
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
