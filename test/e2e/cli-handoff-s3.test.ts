/** A move with a ticket over a bucket: new machines reach it by presigned addresses and by nothing else. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startPresignedProxy, type PresignedProxy } from '../support/presigned-proxy.ts';
import { ring } from '../support/rings.ts';
import { makeBucket, type TestBucket } from '../support/servers-buckets.ts';
import { startLocalStack, startVersitygw, type TestServer } from '../support/servers.ts';
import { describeHandoff } from './handoff-suite.ts';

describeServer('versitygw', await startVersitygw());
describeServer('localstack', await startLocalStack());

function describeServer(name: 'versitygw' | 'localstack', server: TestServer): void {
  ring(name, server.absent, () => {
    let proxy: PresignedProxy;
    let bucket: TestBucket;
    before(async () => {
      proxy = await startPresignedProxy(server.endpoint);
      bucket = await makeBucket(server);
    });
    after(async () => {
      await proxy.close();
      await bucket.remove();
      await server.stop();
    });
    describeHandoff(
      name,
      () => {
        const { bucket: bucketName, region = 'us-east-1' } = bucket.options;
        return Promise.resolve({
          location: `s3://${bucketName}/ferry?endpoint=${proxy.url}&region=${region}&addressing=path`,
          credentials: {
            AWS_ACCESS_KEY_ID: server.accessKeyId,
            AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
            AWS_EC2_METADATA_DISABLED: 'true',
          },
        });
      },
      (isSo) => {
        proxy.onlyPresigned = isSo;
      },
    );
    test('nothing but presigned requests was sent, and no HEAD among them', () => {
      assert.deepEqual(proxy.refused, []);
      assert.ok(proxy.passed.some((one) => one.startsWith('PUT ')));
      assert.ok(proxy.passed.every((one) => /^(GET|PUT) /.test(one)));
    });
  });
}
