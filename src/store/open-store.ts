import { randomInt } from 'node:crypto';
import { systemClock } from '../base/clock.ts';
import { openFolderStore } from './folder-store.ts';
import { limitStore } from './limit-store.ts';
import type { Location } from './location.ts';
import type { ObjectStore } from './object-store.ts';
import { RETRY_LIMITS, retryStore, type RetryDeps, type RetryLimits } from './retry-store.ts';
import type { CreateOnlySupport } from './s3-store.ts';
import type { UploadChecksum } from './s3-upload.ts';

export type OpenStoreOptions = {
  readonly emit: RetryDeps['emit'];
  readonly clock?: RetryDeps['clock'];
  readonly random?: RetryDeps['random'];
  readonly retry?: RetryLimits;
  readonly requestsInFlightMax?: number;
  /** Make the folder when it is missing. A bucket is never made. */
  readonly createFolder?: boolean | undefined;
  /** What a probe of this bucket found and the settings remember. */
  readonly uploadChecksum?: UploadChecksum;
  readonly createOnly?: CreateOnlySupport;
};

const REQUESTS_IN_FLIGHT_MAX = 8;

/** The store at a location, retrying and limited. A folder's costs no import of the SDK. */
export async function openStore(
  location: Location,
  options: OpenStoreOptions,
): Promise<ObjectStore> {
  const requestsInFlightMax = options.requestsInFlightMax ?? REQUESTS_IN_FLIGHT_MAX;
  const bare = await openBare(location, options, requestsInFlightMax);
  return withRetries(bare, options);
}

/** Any store, retrying and limited. The limit lies inside: who waits for the next try keeps nobody else waiting. */
export function withRetries(bare: ObjectStore, options: OpenStoreOptions): ObjectStore {
  const deps: RetryDeps = {
    emit: options.emit,
    clock: options.clock ?? systemClock,
    random: options.random ?? randomFraction,
  };
  const requestsInFlightMax = options.requestsInFlightMax ?? REQUESTS_IN_FLIGHT_MAX;
  return retryStore(limitStore(bare, requestsInFlightMax), deps, options.retry ?? RETRY_LIMITS);
}

async function openBare(
  location: Location,
  options: OpenStoreOptions,
  requestsInFlightMax: number,
): Promise<ObjectStore> {
  if (location.kind === 'folder') {
    return openFolderStore(location.path, { createRoot: options.createFolder });
  }
  const { openS3Store } = await import('./s3-store.ts');
  const { kind: _, ...bucket } = location;
  return openS3Store({
    ...bucket,
    requestsInFlightMax: requestsInFlightMax + 4, // listings and what settles an unclear answer are not counted
    ...(options.uploadChecksum !== undefined && { uploadChecksum: options.uploadChecksum }),
    ...(options.createOnly !== undefined && { createOnly: options.createOnly }),
  });
}

function randomFraction(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
