/**
 * A digest that is quick and keeps no secret: 128 bits of state, mixed a word at a time as xxHash does. Nobody in a
 * simulated world looks for two things with one digest; what differs by a bit, or by a number, has another one.
 */
/** 32 bytes of these parts, each with its length. */
export function digestOf(salt: number, ...parts: readonly Uint8Array[]): Buffer {
  let a = 0x9e3779b1 ^ salt;
  let b = 0x85ebca77;
  let c = 0xc2b2ae3d;
  let d = 0x27d4eb2f;
  for (const part of parts) {
    const { length } = part;
    a = round(a, length);
    let at = 0;
    for (; at + 16 <= length; at += 16) {
      a = round(a, wordAt(part, at));
      b = round(b, wordAt(part, at + 4));
      c = round(c, wordAt(part, at + 8));
      d = round(d, wordAt(part, at + 12));
    }
    for (; at < length; at += 4) {
      b = round(b ^ d, wordAt(part, at));
      [b, c, d] = [c, d, b];
    }
  }
  const out = Buffer.allocUnsafe(32);
  for (let at = 0; at < 32; at += 4) {
    a = (scatter(a) + b) | 0;
    out.writeInt32LE(a, at);
    [a, b, c, d] = [b, c, d, a];
  }
  return out;
}

const round = (state: number, word: number): number => {
  const sum = state + Math.imul(word, 0x85ebca77);
  return Math.imul((sum << 13) | (sum >>> 19), 0x9e3779b1);
};

/** Zero where there is nothing any more: the length was mixed in. */
const wordAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) |
  ((bytes[at + 1] ?? 0) << 8) |
  ((bytes[at + 2] ?? 0) << 16) |
  ((bytes[at + 3] ?? 0) << 24);

const scatter = (word: number): number => {
  const once = Math.imul(word ^ (word >>> 15), 0x85ebca77);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae3d);
  return twice ^ (twice >>> 16);
};
