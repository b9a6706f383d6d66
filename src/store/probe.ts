import type { Location } from './location.ts';
import type { RetryDeps } from './retry-store.ts';
import type { Clock } from '../base/clock.ts';
import type { CreateOnlySupport } from './s3-store.ts';
import type { UploadChecksum } from './s3-upload.ts';

/** What a store does, as plain data: for the settings to remember and for people to read. */
export type ProbeReport = {
  readonly location: string;
  readonly kind: Location['kind'];
  readonly write: 'yes' | 'denied';
  readonly read: Finding;
  readonly delete: Finding;
  /** `racy`: refused in a row, but more than one of several at once won. */
  readonly createOnly: CreateOnlySupport | 'unknown';
  /** How the refusal arrives, as `412 PreconditionFailed` or `connection closed`. */
  readonly createOnlyRefusal: string | undefined;
  readonly race: { readonly racers: number; readonly winnersMax: number } | undefined;
  /** The cheapest upload checksum that the server checks; `none` when it takes wrong ones. */
  readonly uploadChecksum: UploadChecksum | 'none' | 'unknown';
  readonly rangeReads: Finding;
  /** Whether a listing shows what was just put, and is complete when it comes in pages. */
  readonly list: Finding;
  readonly listPages: Finding;
  readonly versioning: 'on' | 'suspended' | 'off' | 'unknown';
  readonly objectLock: 'on' | 'off' | 'unknown';
  /** The store's clock minus this machine's. */
  readonly clockDifferenceMs: number;
  /** Median of the small requests. */
  readonly latencyMs: number;
  /** Names of probe objects that could not be removed. */
  readonly left: readonly string[];
  /** What could not be found out, and why. */
  readonly unknown: readonly { readonly what: string; readonly why: string }[];
};

export type Finding = 'yes' | 'no' | 'unknown';

export type ProbeDeps = RetryDeps & { readonly clock: Clock };

/**
 * Tries out what a store does, with a few small objects below `probe/`, and removes them again. Fails only where
 * nothing can be found out at all: no such place, no answer, a wrong clock.
 */
export async function probeStore(
  location: Location,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<ProbeReport> {
  if (location.kind === 'folder') {
    const { probeFolder } = await import('./probe-folder.ts');
    return probeFolder(location.path, deps, signal);
  }
  const { probeS3 } = await import('./probe-s3.ts');
  const { kind: _, ...bucket } = location;
  return probeS3(bucket, deps, signal);
}

/** The part of a report that changes how a store is opened. What is unknown is left at its default. */
export function storeSettingsOf(report: ProbeReport): {
  readonly uploadChecksum?: UploadChecksum;
  readonly createOnly?: CreateOnlySupport;
} {
  const { uploadChecksum, createOnly } = report;
  return {
    ...(uploadChecksum !== 'none' && uploadChecksum !== 'unknown' && { uploadChecksum }),
    ...(createOnly !== 'unknown' && { createOnly }),
  };
}
