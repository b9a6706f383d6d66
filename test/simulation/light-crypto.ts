/** Imported before the code under test: puts the stand-in behind the door to libsodium. */
import { registerHooks } from 'node:module';

const standIn = new URL('./kem-stand-in.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, nextResolve) {
    const isDoor =
      specifier === 'libsodium-wrappers' &&
      context.parentURL?.endsWith('/crypto/sodium.ts') === true;
    return isDoor ? { url: standIn, shortCircuit: true } : nextResolve(specifier, context);
  },
});
