/** Reed–Solomon error correction over GF(256) with x⁸ + x⁴ + x³ + x² + 1, as QR codes use it. */

/** The bytes that follow `data` in its block. */
export function correctionOf(data: Uint8Array, length: number): Uint8Array {
  const divisor = divisorOf(length);
  const rest = new Uint8Array(length);
  for (const byte of data) {
    const factor = byte ^ (rest[0] ?? 0);
    rest.copyWithin(0, 1);
    rest[length - 1] = 0;
    for (const [at, one] of divisor.entries()) rest[at] = (rest[at] ?? 0) ^ product(one, factor);
  }
  return rest;
}

/** (x − 2⁰)(x − 2¹)…, highest power first, without the leading one. */
function divisorOf(degree: number): Uint8Array {
  const divisor = new Uint8Array(degree);
  divisor[degree - 1] = 1;
  let root = 1;
  for (let step = 0; step < degree; step++) {
    for (let at = 0; at < degree; at++) {
      divisor[at] = product(divisor[at] ?? 0, root) ^ (divisor[at + 1] ?? 0);
    }
    root = product(root, 2);
  }
  return divisor;
}

function product(a: number, b: number): number {
  let result = 0;
  for (let bit = 7; bit >= 0; bit--) {
    result = (result << 1) ^ ((result >>> 7) * 0x11d);
    result ^= ((b >>> bit) & 1) * a;
  }
  return result;
}
