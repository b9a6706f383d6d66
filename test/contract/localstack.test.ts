import { after } from 'node:test';
import { ring } from '../support/rings.ts';
import { startLocalStack } from '../support/servers.ts';
import { describeServer } from './s3-server.ts';

const server = await startLocalStack();
ring('localstack', server.absent, () => {
  describeServer('LocalStack', server);
  after(() => server.stop());
});
