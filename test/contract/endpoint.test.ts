import { randomBytes } from 'node:crypto';
import { openS3Store } from '../../src/store/s3-store.ts';
import { ring } from '../support/rings.ts';
import { emptyBucket } from '../support/servers-buckets.ts';
import { namedEndpoint } from '../support/servers.ts';
import { describeStore } from './store-contract.ts';

const server = namedEndpoint();
ring('endpoint', server.absent, () => {
  const { bucket, endpoint, region, accessKeyId, secretAccessKey } = server;
  describeStore(`the endpoint of the environment`, {
    open: async () => {
      const options = {
        bucket,
        prefix: `stateferry-test-${randomBytes(6).toString('hex')}`,
        endpoint,
        region,
        credentials: { accessKeyId, secretAccessKey },
      };
      const store = await openS3Store(options);
      const close = async (): Promise<void> => {
        await store.close();
        await emptyBucket(options);
      };
      return { store, close };
    },
  });
});
