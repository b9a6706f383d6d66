import { defineMoveRing } from './move-ring.ts';

await defineMoveRing('gateway-2026.3.2', '2026.3.2');
