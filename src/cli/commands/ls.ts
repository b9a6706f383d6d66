/** ls: the roots of a snapshot, or the entries below one path of it. */
import { ls } from '../../browse/ls.ts';
import { argument, flag, textOption } from '../call.ts';
import { entryLine } from '../output/text/entry-text.ts';
import { openAddress, openReading } from '../looking/reading.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runLs(call: Call, session: Session): Promise<Report> {
  const install = textOption(call, 'install');
  const isRecursive = flag(call, 'recursive');
  const reading = await openReading(session);
  const { snapshot, path } = await openAddress(session, reading, argument(call, 0), install);
  const { roots } = snapshot.body;
  let entries = 0;
  let bytes = 0;
  if (path === undefined && !isRecursive) {
    for (const { name, kind, path: from, files, bytes: size } of roots) {
      session.output.item({ type: 'root', name, kind, path: from, files, bytes: size });
      entries += 1;
      bytes += size;
    }
  } else {
    for await (const { root, entry } of ls(snapshot, path, isRecursive)) {
      const line = entryLine(root, entry);
      session.output.item({ type: 'entry', ...line });
      entries += 1;
      bytes += line.bytes;
    }
  }
  return { summary: { verb: 'ls', snapshot: snapshot.cover.id, entries, bytes } };
}
