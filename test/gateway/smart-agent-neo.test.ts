import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { launched } from '../support/launcher.ts';
import { gatewayRing } from './row-ring.ts';
import { defineRow } from './row.ts';

await gatewayRing('gateway-2026.3.2', (original) => {
  const binDir = mkdtempSync(join(tmpdir(), 'launcher-'));
  after(() => rmSync(binDir, { recursive: true }));
  defineRow({
    product: launched(original, 'smart-agent-neo', binDir),
    // The real command would take a folder that has its own name in it.
    onboard: (home) => ['--workspace', `${home}/.smart-agent-neo/workspace`],
  });
});
