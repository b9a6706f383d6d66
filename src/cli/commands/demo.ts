/** demo: a sample install moves from one sandboxed home to another, through the very commands that people use. */
import { textOption } from '../call.ts';
import { demoPlaces } from '../demo/demo-places.ts';
import { migrateSample } from '../demo/migrate-sample.ts';
import { productFor } from '../demo/real-product.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runDemo(call: Call, session: Session): Promise<Report> {
  const real = call.options['real'];
  const places = demoPlaces(session, textOption(call, 'folder'));
  const product = real === undefined ? undefined : await productFor(session, real);
  return migrateSample(session, places, product);
}
