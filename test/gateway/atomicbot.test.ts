import { brandDouble } from '../support/brand-doubles.ts';
import { gatewayRing } from './row-ring.ts';
import { defineRow } from './row.ts';

await gatewayRing('gateway-2026.3.2', (original) =>
  defineRow({ product: brandDouble(original, 'atomicbot') }),
);
