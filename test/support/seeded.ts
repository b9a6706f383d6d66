/** Everything random in a workload, from one seed: the same seed makes the same bytes on every machine. */
import { createCipheriv, createHash, type Cipheriv } from 'node:crypto';

export type Seeded = {
  /** An integer in [min, max]. */
  integer(min: number, max: number): number;
  /** Mostly small, sometimes large: the logarithm is uniform. */
  skewed(min: number, max: number): number;
  pick<Item>(items: readonly Item[]): Item;
  /** Bytes that do not compress. */
  noise(length: number): Buffer;
  /** English-like text of lower-case words and punctuation; safe inside a JSON string. */
  prose(length: number): string;
  /** An independent generator for a part of the work, so that parts do not depend on each other's order. */
  fork(label: string): Seeded;
};

const POOL_CHARACTERS = 4 * 1024 * 1024;
const NOISE_STEP_BYTES = 1024 * 1024;
const ZEROS = Buffer.alloc(NOISE_STEP_BYTES);

export function seeded(seed: string): Seeded {
  const cipher = keyStream(seed);
  let pool = '';
  let words = Buffer.alloc(0);
  let at = 0;
  const uint32 = (): number => {
    if (at + 4 > words.length) {
      words = cipher.update(ZEROS.subarray(0, 4096));
      at = 0;
    }
    at += 4;
    return words.readUInt32LE(at - 4);
  };
  const unit = (): number => uint32() / 0x1_0000_0000;
  const integer = (min: number, max: number): number => min + Math.floor(unit() * (max - min + 1));
  return {
    integer,
    skewed: (min, max) => Math.round(min * (max / min) ** unit()),
    pick: (items) => {
      const item = items[integer(0, items.length - 1)];
      if (item === undefined) throw new Error('nothing to pick from');
      return item;
    },
    noise: (length) => noise(cipher, length),
    prose: (length) => {
      if (pool === '') pool = makePool(seed);
      const from = integer(0, POOL_CHARACTERS - Math.min(length, POOL_CHARACTERS / 2));
      return pool.slice(from, from + length).padEnd(length, '.');
    },
    fork: (label) => seeded(`${seed}/${label}`),
  };
}

function keyStream(seed: string): Cipheriv {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-128-ctr', key.subarray(0, 16), key.subarray(16));
}

function noise(cipher: Cipheriv, length: number): Buffer {
  const parts: Buffer[] = [];
  for (let left = length; left > 0; left -= NOISE_STEP_BYTES) {
    parts.push(cipher.update(ZEROS.subarray(0, Math.min(left, NOISE_STEP_BYTES))));
  }
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
}

const pools = new Map<string, string>();

/** One pool per first part of the seed: slices of it differ enough for chunking, and cost nothing to make. */
function makePool(seed: string): string {
  const base = seed.split('/')[0] ?? seed;
  const known = pools.get(base);
  if (known !== undefined) return known;
  const random = seeded(`${base}/pool/words`);
  const vocabulary = Array.from({ length: 6000 }, () => word(random));
  const parts: string[] = [];
  let length = 0;
  while (length < POOL_CHARACTERS) {
    // The square makes frequent words frequent, as in a language.
    const rank = Math.floor((random.integer(0, 9999) / 10_000) ** 2 * vocabulary.length);
    const text = `${vocabulary[rank] ?? ''}${random.integer(0, 11) === 0 ? '. ' : ' '}`;
    parts.push(text);
    length += text.length;
  }
  const pool = parts.join('').slice(0, POOL_CHARACTERS);
  pools.set(base, pool);
  return pool;
}

function word(random: Seeded): string {
  const syllables = [
    'ka',
    'ter',
    'mo',
    'lin',
    'es',
    'tra',
    'pu',
    'ren',
    'si',
    'vo',
    'da',
    'net',
    'or',
    'gi',
  ];
  return Array.from({ length: random.integer(1, 4) }, () => random.pick(syllables)).join('');
}
