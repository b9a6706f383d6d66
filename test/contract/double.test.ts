import { openS3Store, type S3StoreOptions } from '../../src/store/s3-store.ts';
import { startS3Double, type DoubleOptions } from '../support/s3-double.ts';
import { describeStore, type StoreFixture } from './store-contract.ts';

const inDouble = (
  double: DoubleOptions,
  store: Partial<S3StoreOptions>,
  createOnlyWinnersMax = 1,
): StoreFixture => ({
  createOnlyWinnersMax,
  open: async () => {
    const server = await startS3Double(double);
    const opened = await openS3Store({
      bucket: server.bucketName,
      prefix: 'some/prefix',
      endpoint: server.url,
      region: server.region,
      credentials: { accessKeyId: server.accessKey, secretAccessKey: server.secretKey },
      ...store,
    });
    return {
      store: opened,
      close: async () => {
        await opened.close();
        await server.close();
      },
    };
  },
});

const MIB = 1024 * 1024;

describeStore('double aws', inDouble({ profile: 'aws' }, {}));
describeStore('double aws, MD5', inDouble({ profile: 'aws' }, { uploadChecksum: 'md5' }));
describeStore('double aws, pages of 3', inDouble({ profile: 'aws', listPageMax: 3 }, {}));
describeStore('double aws, in parts', inDouble({ profile: 'aws' }, { partBytes: 5 * MIB }));
describeStore('double aws, at the top of the bucket', inDouble({ profile: 'aws' }, { prefix: '' }));
describeStore(
  'double that refuses create-only by hanging up',
  inDouble({ profile: 'aws', faults: [{ kind: 'create-only-reset', times: Infinity }] }, {}),
);
describeStore('double ceph', inDouble({ profile: 'ceph' }, { uploadChecksum: 'md5' }));
describeStore(
  'double ceph, in parts',
  inDouble({ profile: 'ceph' }, { uploadChecksum: 'md5', partBytes: 5 * MIB }),
);
describeStore(
  'double swift',
  inDouble({ profile: 'swift' }, { uploadChecksum: 'md5', createOnly: 'none' }, 8),
);
describeStore('double lax', inDouble({ profile: 'lax' }, { createOnly: 'none' }, 8));
describeStore(
  'double with an hour of clock skew',
  inDouble({ profile: 'aws', clockOffsetMs: 3600_000 - 5000 }, {}),
);
