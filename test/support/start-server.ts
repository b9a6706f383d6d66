/**
 * Starts one of the test servers and keeps it up until Ctrl-C:
 *
 *     localstack/start.sh [localstack|versitygw|minio]
 *
 * Prints a bucket and the variables with which stateferry and the tests find it.
 */
import { makeBucket } from './servers-buckets.ts';
import { startLocalStack, startMinio, startVersitygw, type TestServer } from './servers.ts';

const STARTERS: Readonly<Record<string, () => Promise<TestServer>>> = {
  localstack: startLocalStack,
  versitygw: startVersitygw,
  minio: startMinio,
};

const wanted = process.argv[2] ?? 'localstack';
const begin = STARTERS[wanted];
if (begin === undefined) {
  process.stderr.write(`There is no "${wanted}"; there are ${Object.keys(STARTERS).join(', ')}.\n`);
  process.exit(2);
}
process.stderr.write(
  `Starting ${wanted}; the first time it is installed, which takes a minute …\n`,
);
const server = await begin();
if (server.absent !== undefined) {
  process.stderr.write(`${wanted} cannot be started here: ${server.absent}\n`);
  process.exit(1);
}
const { options } = await makeBucket(server);
process.stdout.write(`export AWS_ACCESS_KEY_ID=${server.accessKeyId}
export AWS_SECRET_ACCESS_KEY=${server.secretAccessKey}
export AWS_REGION=${server.region}
export STATEFERRY_REPOSITORY='s3://${options.bucket}/ferry?endpoint=${server.endpoint}'
export STATEFERRY_TEST_S3_ENDPOINT=${server.endpoint} STATEFERRY_TEST_S3_BUCKET=${options.bucket}
`);
process.stderr.write('Up until Ctrl-C. What was stored is gone then.\n');

const keepAlive = setInterval(() => {}, 60_000);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    clearInterval(keepAlive);
    void server.stop();
  });
}
