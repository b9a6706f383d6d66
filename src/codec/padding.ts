const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * The stored size that hides `size`: below 1 MiB the next multiple of 64 KiB, above the next Padmé size
 * (Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and Communication with PURBs", PETS 2019).
 */
export function paddedSize(size: number): number {
  if (size < MIB) return Math.ceil(size / (64 * KIB)) * 64 * KIB;
  return padme(size);
}

/** The next Padmé size: at most 12 % more, and only O(log log size) bits of the length remain. */
export function padme(size: number): number {
  if (size < 2) return size;
  const exponent = Math.floor(Math.log2(size));
  const kept = Math.floor(Math.log2(exponent)) + 1;
  const unit = 2 ** Math.max(0, exponent - kept);
  return Math.ceil(size / unit) * unit;
}
