import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brandDouble } from '../support/brand-doubles.ts';
import { movedText, plantByHand } from './planted.ts';
import { gatewayRing } from './row-ring.ts';
import { defineRow } from './row.ts';

/** Its own default port, and the folder of an ancestor: it is renamed at the first command, and a link stays behind. */
await gatewayRing('gateway-2026.3.2', (original) =>
  defineRow({
    product: brandDouble(original, 'resonix'),
    placeIn: () => ({ defaultPort: 19_000 }),
    beforeOnboarding: (home) => {
      mkdirSync(join(home, '.clawdbot/workspace-lab'), { recursive: true, mode: 0o700 });
      writeFileSync(join(home, '.clawdbot/workspace-lab/OLD.md'), 'from before\n');
    },
    // Written by way of the link, which does not come along.
    plant: (install, llm) => plantByHand(install, llm, '.clawdbot/workspace-lab'),
    moved: (...of) =>
      movedText(...of).replace('/.clawdbot/workspace-lab"', '/.resonix/workspace-lab"'),
  }),
);
