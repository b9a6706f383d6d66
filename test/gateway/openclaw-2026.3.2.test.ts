import { defineMoveSuite } from './move-real.ts';
import { productRing } from './product-ring.ts';

await productRing('gateway-2026.3.2', '2026.3.2', defineMoveSuite);
