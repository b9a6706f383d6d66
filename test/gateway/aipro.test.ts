import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { brandDouble } from '../support/brand-doubles.ts';
import type { RealInstall } from '../support/real-install.ts';
import { mustSucceed, type Ferry } from './ferry.ts';
import { gatewayRing } from './row-ring.ts';
import { defineRow } from './row.ts';

await gatewayRing('gateway-2026.1.24', (original) =>
  defineRow({
    product: brandDouble(original, 'aipro'),
    afterStop: lockIsNoSignOfLife,
  }),
);

/** This generation leaves its lock behind; its workspace lies in the home itself. */
async function lockIsNoSignOfLife(install: RealInstall, ferry: Ferry): Promise<void> {
  const locks = join(install.env['TMPDIR'] ?? '', `aipro-${process.getuid?.()}`);
  assert.equal(readdirSync(locks).filter((name) => name.endsWith('.lock')).length, 1);
  const { summary } = mustSucceed(await ferry.run('gateways'));
  const [only] = summary['installs'] as { running: boolean; workspaces: string[] }[];
  assert.equal(only?.running, false);
  assert.equal(only?.workspaces[0], `${install.home}/clawd`);
  assert.ok(existsSync(`${install.home}/clawd/AGENTS.md`));
}
