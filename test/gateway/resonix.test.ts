import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brandDouble } from '../support/brand-doubles.ts';
import { gatewayRing } from './row-ring.ts';
import { defineRow } from './row.ts';

/** Its own default port, and the folder of an ancestor: it is renamed at the first command, and a link stays behind. */
await gatewayRing('gateway-2026.3.2', (original) =>
  defineRow({
    place: {
      product: brandDouble(original, 'resonix'),
      defaultPort: 19_000,
    },
    beforeOnboarding: (home) => {
      mkdirSync(join(home, '.clawdbot/workspace-lab'), { recursive: true, mode: 0o700 });
      writeFileSync(join(home, '.clawdbot/workspace-lab/OLD.md'), 'from before\n');
    },
    labWorkspace: { before: '.clawdbot/workspace-lab', after: '.resonix/workspace-lab' },
  }),
);
