/** The suite as a ring: it needs the product, and a real S3 server. */
import { productOrAbsence } from '../support/products.ts';
import { isRequired, ring, type RingName } from '../support/rings.ts';
import { startLocalStack, startVersitygw } from '../support/servers.ts';
import { defineMoveSuite } from './move-real.ts';

export async function defineMoveRing(name: RingName, version: string): Promise<void> {
  // A run of everything installs what it needs, once; a run of some files only uses what is there.
  const isWhole = process.env['STATEFERRY_TEST_WHOLE'] === '1';
  const isWorthMinutes = isWhole || isRequired(name);
  const { product, reason } = await productOrAbsence('openclaw', version, isWorthMinutes);
  if (product === undefined) return ring(name, reason, () => {});
  const versitygw = await startVersitygw();
  const server = versitygw.absent === undefined ? versitygw : await startLocalStack();
  ring(name, server.absent, () => defineMoveSuite(product, server));
}
