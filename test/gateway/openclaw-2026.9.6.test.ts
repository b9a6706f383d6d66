import { defineMoveSuite } from './move-real.ts';
import { productRing } from './product-ring.ts';

await productRing('gateway-2026.9.6', '2026.9.6', defineMoveSuite);
