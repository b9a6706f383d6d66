import { openS3Store, type S3StoreOptions } from '../../src/store/s3-store.ts';
import { makeBucket } from '../support/servers-buckets.ts';
import type { TestServer } from '../support/servers.ts';
import { describeStore } from './store-contract.ts';

const PART_BYTES_MIN = 5 * 1024 * 1024;

/** The whole contract against a real server: either checksum, one PUT and parts. */
export function describeServer(name: string, server: TestServer, createOnlyWinnersMax = 1): void {
  const variants: [string, Partial<S3StoreOptions>][] = [
    [name, {}],
    [`${name}, MD5`, { uploadChecksum: 'md5' }],
    [`${name}, in parts`, { partBytes: PART_BYTES_MIN }],
    [`${name}, in parts, MD5`, { partBytes: PART_BYTES_MIN, uploadChecksum: 'md5' }],
  ];
  for (const [label, options] of variants) {
    describeStore(label, {
      createOnlyWinnersMax,
      open: async () => {
        const bucket = await makeBucket(server);
        const store = await openS3Store({ ...bucket.options, ...options });
        const close = async (): Promise<void> => {
          await store.close();
          await bucket.remove();
        };
        return { store, close };
      },
    });
  }
}
