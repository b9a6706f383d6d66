/** A row as part of a ring: it needs the published product. */
import { productOrAbsence, type Product } from '../support/products.ts';
import { isRequired, ring, type RingName } from '../support/rings.ts';

/** The product of each ring that has rows. */
const PRODUCT_OF = {
  'gateway-2026.1.24': ['clawdbot', '2026.1.24-3'],
  'gateway-2026.3.2': ['openclaw', '2026.3.2'],
  'gateway-2026.9.6': ['openclaw', '2026.9.6'],
} as const satisfies Partial<Record<RingName, readonly [string, string]>>;

export async function gatewayRing(
  name: keyof typeof PRODUCT_OF,
  define: (product: Product) => void,
): Promise<void> {
  // A run of everything installs what it needs, once; a run of some files only uses what is there.
  const isWorthMinutes = process.env['STATEFERRY_TEST_WHOLE'] === '1' || isRequired(name);
  const [packageName, version] = PRODUCT_OF[name];
  const { product, reason } = await productOrAbsence(packageName, version, isWorthMinutes);
  ring(name, reason, () => {
    if (product !== undefined) define(product);
  });
}
