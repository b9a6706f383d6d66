/** find: files by name, in every snapshot or in those that are meant. */
import { find, matcher } from '../../browse/find.ts';
import { chooseSnapshot } from '../../repository/snapshot-list.ts';
import { openSnapshot } from '../../repository/snapshot-reader.ts';
import { argument, textOption } from '../call.ts';
import { ofInstall } from '../looking/listing.ts';
import { entryLine } from '../output/text/entry-text.ts';
import { openReading } from '../looking/reading.ts';
import type { Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runFind(call: Call, session: Session): Promise<Report> {
  const pattern = argument(call, 0);
  const isMatch = matcher(pattern);
  const install = textOption(call, 'install');
  const wanted = textOption(call, 'snapshot');
  const { repository, snapshots } = await openReading(session);
  const meant =
    wanted === undefined
      ? ofInstall(snapshots, install)
      : [chooseSnapshot(snapshots, wanted, install)];
  let matches = 0;
  for (const chosen of meant) {
    const snapshot = await openSnapshot(repository, chosen, session.emit, session.signal);
    for await (const { root, entry } of find(snapshot, isMatch)) {
      const { time, install: of } = chosen.cover;
      const line = entryLine(root, entry);
      session.output.item({ type: 'match', snapshot: chosen.id, time, install: of, entry: line });
      matches += 1;
    }
  }
  return { summary: { verb: 'find', pattern, snapshots: meant.length, matches } };
}
