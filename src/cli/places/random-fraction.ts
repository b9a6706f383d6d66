/** For delays between retries. */
import type { Random } from '../../crypto/sodium.ts';

export function systemRandomFraction(random: Random): number {
  const bytes = random(4);
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) / 2 ** 32;
}
