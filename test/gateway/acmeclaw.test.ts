import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brandDouble } from '../support/brand-doubles.ts';
import type { RealInstall } from '../support/real-install.ts';
import { mustSucceed, type Ferry } from './ferry.ts';
import { gatewayRing } from './row-ring.ts';
import { defineRow } from './row.ts';

/** A fork nobody has heard of: all that is known of it is what its user wrote in the settings. */
const BRAND = { name: 'acmeclaw', envPrefix: 'ACME', defaultPort: 24_680 };
const SERVICE = 'assistant-of-acme.service';

await gatewayRing('gateway-2026.3.2', (original) => {
  const product = brandDouble(original, 'acmeclaw');
  defineRow({
    product,
    placeIn: () => ({ defaultPort: BRAND.defaultPort }),
    brand: BRAND,
    beforeOnboarding: (home) => writeService(home, product.cliPath),
    afterStop: serviceIsKnown,
  });
});

/** As its `gateway install` writes it. */
function writeService(home: string, command: string): void {
  const folder = join(home, '.config/systemd/user');
  mkdirSync(folder, { recursive: true });
  const unit = `[Service]
ExecStart=${process.execPath} ${command} gateway --port ${BRAND.defaultPort}
Environment=HOME=${home}
Environment=ACME_GATEWAY_PORT=${BRAND.defaultPort}
Environment=ACME_SYSTEMD_UNIT=${SERVICE}
`;
  writeFileSync(join(folder, SERVICE), unit);
}

/** Though its name follows no pattern of the family. */
async function serviceIsKnown(install: RealInstall, ferry: Ferry): Promise<void> {
  const { summary } = mustSucceed(await ferry.run('gateways'));
  const [only] = summary['installs'] as { service: { name: string } | null; stateDir: string }[];
  assert.deepEqual([only?.stateDir, only?.service?.name], [install.stateDir, SERVICE]);
}
