import { after } from 'node:test';
import { ring } from '../support/rings.ts';
import { startMinio } from '../support/servers.ts';
import { describeServer } from './s3-server.ts';

const server = await startMinio();
ring('minio', server.absent, () => {
  describeServer('MinIO', server);
  after(() => server.stop());
});
