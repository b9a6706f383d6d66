/** The pages of infra/: each provider has one, of one form, and they say what the code does. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { ROLES } from '../../src/cli/roles/rights.ts';
import { VERB_ROLES } from '../../src/cli/roles/verb-roles.ts';
import { VERBS } from '../../src/cli/verbs.ts';
import { parseLocation } from '../../src/store/location.ts';
import { INFRA } from './infra-files.ts';

const entry = readFileSync(join(INFRA, 'README.md'), 'utf8');
const PROVIDERS = ['aws', 'b2', 'hetzner', 'ovh', 'r2', 'self-hosted', 'wasabi'];

test('there is a page for every provider, and the entry page names each', () => {
  const pages = readdirSync(join(INFRA, 'providers')).toSorted();
  assert.deepEqual(
    pages,
    PROVIDERS.map((name) => `${name}.md`),
  );
  for (const page of pages) assert.ok(entry.includes(`(providers/${page})`), page);
});

for (const provider of PROVIDERS) {
  describe(`the page of ${provider}`, () => {
    const page = readFileSync(join(INFRA, `providers/${provider}.md`), 'utf8');

    test('says who tried it, and has every section', () => {
      assert.match(page, /^# .+\n\n\*\*Tried:\*\* /);
      const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title);
      const wanted = ['Bucket and keys', 'Location', 'Roles', 'What probe finds', 'Traps'];
      assert.deepEqual(sections, wanted);
    });

    test('has locations that can be typed as they stand', () => {
      const locations = page.match(/^s3:\/\/\S+$/gm) ?? [];
      assert.ok(locations.length > 0);
      for (const location of locations) assert.equal(parseLocation(location, '/').kind, 's3');
    });
  });
}

describe('the table of roles', () => {
  const rows = new Map(
    ROLES.map((role) => [role, new RegExp(`^\\| ${role} \\|.*$`, 'm').exec(entry)?.[0] ?? '']),
  );

  for (const [verb, role] of Object.entries(VERB_ROLES)) {
    const isThere = VERBS.some(({ usage }) => usage.split(' ')[0] === verb);
    if (isThere) test(`${verb} is ${role}'s`, () => assert.match(rows.get(role) ?? '', word(verb)));
  }

  test('every verb that opens a bucket has a role', () => {
    const without = VERBS.map(({ usage }) => usage.split(' ')[0] ?? '').filter(
      (verb) => !(verb in VERB_ROLES),
    );
    assert.deepEqual(without.toSorted(), [...NO_BUCKET].toSorted());
  });
});

/** They look at this machine only, or are several verbs in one. */
const NO_BUCKET = ['demo', 'gateways', 'leave', 'policy', 'schedule', 'undo'];

const word = (verb: string): RegExp => new RegExp(`\`${verb}( |\`)`);
