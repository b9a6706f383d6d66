import { defineMoveRing } from './move-ring.ts';

await defineMoveRing('gateway-2026.9.6', '2026.9.6');
