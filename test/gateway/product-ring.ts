/** A ring that needs a published product and a real S3 server. */
import { productOrAbsence, type Product } from '../support/products.ts';
import { isRequired, ring, type RingName } from '../support/rings.ts';
import { startLocalStack, startVersitygw, type TestServer } from '../support/servers.ts';

export async function productRing(
  name: RingName,
  version: string,
  define: (product: Product, server: TestServer) => void,
): Promise<void> {
  // A run of everything installs what it needs, once; a run of some files only uses what is there.
  const isWhole = process.env['STATEFERRY_TEST_WHOLE'] === '1';
  const isWorthMinutes = isWhole || isRequired(name);
  const { product, reason } = await productOrAbsence('openclaw', version, isWorthMinutes);
  if (product === undefined) return ring(name, reason, () => {});
  const versitygw = await startVersitygw();
  const server = versitygw.absent === undefined ? versitygw : await startLocalStack();
  ring(name, server.absent, () => define(product, server));
}
