/** Versions of the products: the year, the month, the release, and what follows a dash. */

/** `2026.3.2` out of `OpenClaw 2026.3.2 (eb377ac)`. */
export function parseVersion(text: string): string | undefined {
  return /\d{4}\.\d+\.\d+(-[0-9A-Za-z.]+)?/.exec(text)?.[0];
}

/** Less than 0 when `a` is older. Suffixes: `-3` is a later build of the same release, `-beta.1` an earlier one. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionParts(a), versionParts(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Year, month, release, then 0 for none, below for a pre-release, above for a later build. */
function versionParts(version: string): number[] {
  const [core = '', suffix = ''] = version.split(/-(.*)/s);
  const numbers = core.split('.').map(Number);
  if (suffix === '') return [...numbers, 0];
  return /^\d+$/.test(suffix) ? [...numbers, Number(suffix)] : [...numbers, -1, ...digits(suffix)];
}

const digits = (text: string): number[] => (text.match(/\d+/g) ?? []).map(Number);
