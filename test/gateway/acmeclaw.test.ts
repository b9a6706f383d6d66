import { brandDouble } from '../support/brand-doubles.ts';
import { gatewayRing } from './row-ring.ts';
import { defineRow } from './row.ts';

/** A fork nobody has heard of: all that is known of it is what its user wrote in the settings. */
const BRAND = {
  name: 'acmeclaw',
  envPrefix: 'ACME',
  defaultPort: 24_680,
  systemdUnits: ['assistant-of-acme{-profile}'],
};

await gatewayRing('gateway-2026.3.2', (original) =>
  defineRow({
    place: { product: brandDouble(original, 'acmeclaw'), defaultPort: 24_680 },
    brand: BRAND,
  }),
);
