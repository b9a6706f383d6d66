/** Key derivation by a quick digest: another key for each label and parts. */
import type { KdfLabel } from '../../../src/crypto/kdf.ts';
import { digestOf } from './digest.ts';

export * from '../../../src/crypto/kdf.ts';

export function kdf(key: Uint8Array, label: KdfLabel, ...parts: readonly Uint8Array[]): Uint8Array {
  return digestOf(parts.length, key, bytesOf(label), ...parts);
}

const labels = new Map<string, Uint8Array>();

function bytesOf(label: string): Uint8Array {
  const known = labels.get(label);
  if (known) return known;
  const bytes = Buffer.from(label);
  labels.set(label, bytes);
  return bytes;
}
