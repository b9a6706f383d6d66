/** diff: from one snapshot to another. */
import { diff } from '../../browse/diff.ts';
import { argument, textOption } from '../call.ts';
import { entryLine } from '../output/text/entry-text.ts';
import { openAddress, openReading } from '../looking/reading.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runDiff(call: Call, session: Session): Promise<Report> {
  const install = textOption(call, 'install');
  const reading = await openReading(session);
  const from = await openAddress(session, reading, argument(call, 0), install);
  const to = await openAddress(session, reading, argument(call, 1), install);
  const counts = { added: 0, removed: 0, changed: 0 };
  for await (const { root, change, what, entry } of diff(from, to)) {
    counts[change] += 1;
    const { path, bytes } = entryLine(root, entry);
    session.output.item({ type: 'difference', change, path, what, bytes });
  }
  const [a, b] = [from.snapshot.cover.id, to.snapshot.cover.id];
  return { summary: { verb: 'diff', from: a, to: b, ...counts } };
}
