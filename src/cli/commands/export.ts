/** export: a snapshot, or a part of it, as a tar archive in plain text. */
import { exportSnapshot } from '../../transfer/export.ts';
import { argument, optionalArgument, textOption } from '../call.ts';
import { archiveTarget, pathInRoots, startPayload } from '../looking/exporting.ts';
import { openAddress, openReading } from '../looking/reading.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runExport(call: Call, session: Session): Promise<Report> {
  const target = archiveTarget(session, optionalArgument(call, 1));
  if (target.file === null) await startPayload(session);
  const install = textOption(call, 'install');
  const reading = await openReading(session);
  const { snapshot, path } = await openAddress(session, reading, argument(call, 0), install);
  const request = { reader: snapshot, path: pathInRoots(snapshot, path) };
  const { emit, signal } = session;
  const deps = { repository: reading.repository, emit };
  const { files, bytes } = await exportSnapshot(request, target.output, deps, signal);
  target.finish();
  const { id } = snapshot.cover;
  return { summary: { verb: 'export', snapshot: id, file: target.file, files, bytes } };
}
