/**
 * What identifies one version of a file's content.
 */
import { lstatSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';
import { toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';

/** As long as all of it is equal (and it was not racy when taken), the content was not touched. */
export type FileStat = {
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  readonly ino: bigint;
  readonly dev: bigint;
};

export const fileStatOf = (stat: BigIntStats): FileStat => ({
  size: Number(stat.size),
  mtimeNs: keptTime(stat.mtimeNs),
  ctimeNs: stat.ctimeNs,
  ino: stat.ino,
  dev: stat.dev,
});

export const isSameStat = (one: FileStat, other: BigIntStats): boolean =>
  one.size === Number(other.size) &&
  one.mtimeNs === keptTime(other.mtimeNs) &&
  one.ctimeNs === other.ctimeNs &&
  one.ino === other.ino &&
  one.dev === other.dev;

const TIME_MAX = 2n ** 63n - 1n;

/**
 * A file's own time as snapshots hold it, in 64 bits: they begin in 1677 and end in 2262, and file systems go
 * further. A program that takes milliseconds for seconds sets such a time.
 */
export function keptTime(ns: bigint): bigint {
  if (ns > TIME_MAX) return TIME_MAX;
  return ns < -TIME_MAX ? -TIME_MAX : ns;
}

/**
 * Stamps come from a clock that ticks every few milliseconds (on some file systems every two seconds, which shows as
 * whole seconds): a file changed that recently can change again without a visible sign.
 */
export function isRacyStat(stat: { readonly ctimeNs: bigint }, nowMs: number): boolean {
  const ageMs = nowMs - Number(stat.ctimeNs) / 1e6;
  if (ageMs >= COARSE_TICK_MS) return false;
  return ageMs < FINE_TICK_MS || stat.ctimeNs % 1_000_000_000n === 0n;
}

const COARSE_TICK_MS = 2_000;
const FINE_TICK_MS = 20;

/** Of a regular file, or undefined when there is none. */
export function statFile(path: BytePath): FileStat | undefined {
  const stat = lstatSync(toFsPath(path), { bigint: true, throwIfNoEntry: false });
  return stat?.isFile() === true ? fileStatOf(stat) : undefined;
}
