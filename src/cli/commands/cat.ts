/** cat: one file of a snapshot on stdout. */
import { fileAt } from '../../browse/cat.ts';
import { FerryError } from '../../base/errors.ts';
import { argument, textOption } from '../call.ts';
import { startPayload } from '../looking/exporting.ts';
import { openAddress, openReading } from '../looking/reading.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runCat(call: Call, session: Session): Promise<Report> {
  await startPayload(session);
  const reading = await openReading(session);
  const install = textOption(call, 'install');
  const { snapshot, path } = await openAddress(session, reading, argument(call, 0), install);
  if (path === undefined) {
    throw new FerryError('usage', 'cat needs the path of a file in the snapshot', {
      hint: 'stateferry cat SNAPSHOT:PATH, as latest:state/openclaw.json',
    });
  }
  const entry = await fileAt(snapshot, path);
  for await (const piece of snapshot.file(entry)) await session.output.payload(piece);
  return { summary: { verb: 'cat', snapshot: snapshot.cover.id, path, bytes: entry.size } };
}
