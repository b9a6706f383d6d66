/** What opens the bucket or the repository is not handed to the product's command, where the agent's programs run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BRANDS } from '../../src/gateway/install/brands.ts';
import { productEnv } from '../../src/gateway/product/product-cli.ts';

test('a product command sees neither our secrets nor the keys of the bucket', () => {
  const [brand] = BRANDS;
  assert.ok(brand);
  const secrets = {
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
    AWS_SESSION_TOKEN: 'c',
    STATEFERRY_PASSPHRASE: 'd',
    STATEFERRY_PASSPHRASE_FILE: 'e',
    STATEFERRY_RECOVERY_CODE: 'f',
    STATEFERRY_READER_KEY_FILE: 'g',
  };
  const others = { PATH: '/bin', AWS_REGION: 'x', ANTHROPIC_API_KEY: 'of the gateway' };
  const target = { home: '/h', stateDir: '/h/s', configPath: '/h/s/c', profile: 'default' };
  const env = productEnv(brand, { ...secrets, ...others }, target);
  assert.deepEqual(
    Object.keys(secrets).filter((name) => name in env),
    [],
  );
  for (const [name, value] of Object.entries(others)) assert.equal(env[name], value);
});
