/** What must come after all content: large files, hard links, times, directory modes; then it is durable. */
import { joinBytes, showPath } from '../../base/byte-path.ts';
import { throwIfAborted } from '../../base/errors.ts';
import type { Emit } from '../../base/events.ts';
import { syncTree } from '../../fs/sync.ts';
import type { SystemTools } from '../../fs/system-tools.ts';
import { setTimes, type TimeRecord } from '../../fs/times.ts';
import type { StagesPlan } from './plan-stages.ts';
import type { Staging } from './staging.ts';

export async function finishStages(
  staging: Staging,
  { toFinish, links, directories }: StagesPlan,
  { tools, emit }: { readonly tools: SystemTools; readonly emit: Emit },
  signal: AbortSignal,
): Promise<void> {
  emit({ type: 'stage', stage: 'finish' });
  const { files } = staging;
  for (const number of toFinish) {
    if (files.isFailed(number)) continue;
    const { path, size, attributes } = files.file(number);
    staging.placerOf(number).finishFile(path, size, attributes);
  }
  for (const { stage, path, target, number } of links) {
    if (staging.isLost(stage, target)) {
      staging.lose(number, `it is another name of ${showPath(target)}`);
    } else {
      staging.placer(stage).placeHardLink(path, target);
    }
  }
  throwIfAborted(signal);
  const { failed } = await setTimes(timeRecords(staging), tools);
  for (const { path, code } of failed) {
    const message = `its time could not be set (${code})`;
    emit({ type: 'problem', path: showPath(path), code: 'file-write', message });
  }
  for (const number of directories.toReversed()) {
    staging.placerOf(number).finishDirectory(files.path(number), files.attributes(number));
  }
  staging.checkNames();
  for (const { stage } of staging.targets) await syncTree(stage, tools);
}

/** The deepest first: what is placed in a directory changes its time. */
function* timeRecords({ files, targets }: Staging): Generator<TimeRecord> {
  for (let number = files.length - 1; number >= 0; number--) {
    if (files.isFailed(number)) continue;
    const target = targets[files.stage(number)];
    if (target) yield files.time(number, joinBytes(target.stage, files.path(number)));
  }
}
