/** The Terraform modules, as far as can be said without the provider. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { policyFor } from '../../src/cli/roles/policy.ts';
import { ROLES } from '../../src/cli/roles/rights.ts';
import { makeFolder } from '../support/cli-run.ts';
import { ring } from '../support/rings.ts';
import { askTerraform, findTerraform } from '../support/terraform.ts';
import { INFRA } from './infra-files.ts';

const folder = makeFolder();
const place = join(folder.path, 'infra');
const program = await findTerraform();

ring('terraform', program === undefined ? 'no terraform and no tofu on PATH' : undefined, () => {
  cpSync(INFRA, place, { recursive: true });
  after(() => folder.remove());

  const run = (module: string, ...args: string[]) =>
    askTerraform(program ?? '', args, join(place, 'terraform', module), folder.path);

  test('it parses, and is formatted as the tool itself would', async () => {
    const { exit, stdout, stderr } = await run('.', 'fmt', '-check', '-diff', '-recursive');
    assert.equal(exit, 0, stdout + stderr);
  });

  test('the policies come out as the source says', async () => {
    const request = { bucket: 'my-bucket', prefix: 'some/ferry', writer: 'ab'.repeat(16) };
    assert.equal((await run('policy', 'init')).exit, 0);
    for (const role of ROLES) {
      const values = Object.entries({ name: role, ...request }).map(([k, v]) => `-var=${k}=${v}`);
      const applied = await run('policy', 'apply', '-auto-approve', ...values);
      assert.equal(applied.exit, 0, applied.stderr);
      const { stdout } = await run('policy', 'output', '-raw', 'json');
      assert.deepEqual(JSON.parse(stdout), policyFor({ role, ...request }), role);
    }
  });
});
