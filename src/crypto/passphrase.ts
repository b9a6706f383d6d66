/** Argon2id (RFC 9106) through node:crypto; libsodium-wrappers has none. */
import { argon2 } from 'node:crypto';
import { FerryError } from '../base/errors.ts';

export type Argon2Cost = {
  readonly memoryKiB: number;
  readonly passes: number;
  readonly lanes: number;
};

/** What a new key slot gets: 64 MiB, 3 passes, 1 lane. */
export const ARGON2_COST: Argon2Cost = { memoryKiB: 64 * 1024, passes: 3, lanes: 1 };
export const ARGON2_LIMITS = {
  memoryKiBMin: 64 * 1024,
  memoryKiBMax: 512 * 1024,
  passesMin: 2,
  passesMax: 10,
  lanesMin: 1,
  lanesMax: 4,
} as const;

/**
 * 32 bytes from a passphrase, which is normalised to NFC first (so that an accent typed on another system opens
 * the same slot). Costs outside the limits are refused before anything is allocated.
 */
export function passphraseKey(
  passphrase: string,
  salt: Uint8Array,
  cost: Argon2Cost,
): Promise<Uint8Array> {
  checkCost(cost);
  return new Promise((resolve, reject) => {
    argon2(
      'argon2id',
      {
        message: Buffer.from(passphrase.normalize('NFC'), 'utf8'),
        nonce: salt,
        parallelism: cost.lanes,
        tagLength: 32,
        memory: cost.memoryKiB,
        passes: cost.passes,
      },
      (error, key) => (error ? reject(error) : resolve(key)),
    );
  });
}

function checkCost(cost: Argon2Cost): void {
  const limits = ARGON2_LIMITS;
  const inside =
    cost.memoryKiB >= limits.memoryKiBMin &&
    cost.memoryKiB <= limits.memoryKiBMax &&
    cost.passes >= limits.passesMin &&
    cost.passes <= limits.passesMax &&
    cost.lanes >= limits.lanesMin &&
    cost.lanes <= limits.lanesMax;
  if (inside) return;
  throw new FerryError(
    'object-damaged',
    `a key slot asks for Argon2 costs that are not allowed (${cost.memoryKiB} KiB, ` +
      `${cost.passes} passes, ${cost.lanes} lanes)`,
    { hint: 'The slot was changed by somebody, or written by another tool: use another slot.' },
  );
}
