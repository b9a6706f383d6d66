/** What a drill looks at in the stage, where everything is as the snapshot has it and nothing is edited yet. */
import { joinBytes, showPath, type BytePath } from '../base/byte-path.ts';
import type { Emit } from '../base/events.ts';
import { throwIfAborted } from '../base/errors.ts';
import type { Entry } from '../format/entry.ts';
import { isDatabase, type FileKind } from '../fs/whole-file.ts';
import type { CheckLine } from '../gateway/landing/checklist.ts';
import type { Landing } from '../pull/plan/landing.ts';
import { PIPELINE } from '../workers/limits.ts';
import { Tasks, workerCount } from '../workers/tasks.ts';
import { ContentReader } from './content-reader.ts';
import { differenceOf } from './entry-difference.ts';
import { databasesLine, transcriptsLine, type Judged } from './judged-lines.ts';
import { named } from './named.ts';

export async function inspectStage(
  landing: Landing,
  emit: Emit,
  signal: AbortSignal,
): Promise<CheckLine[]> {
  emit({ type: 'stage', stage: 'inspect' });
  const tasks = new Tasks(workerCount(), () => undefined);
  try {
    const content = new ContentReader(landing.request.snapshot, tasks);
    const looked = await lookAtEntries(landing, content, signal);
    const read = await content.end();
    const judged = await judge(looked.toJudge, tasks, signal);
    return [entriesLine(looked), read, databasesLine(judged), transcriptsLine(judged)];
  } finally {
    await tasks.close();
  }
}

type ToJudge = { readonly path: BytePath; readonly name: string; readonly kind: FileKind };

type Looked = {
  entries: number;
  /** By name, with what is different. */
  readonly different: string[];
  readonly toJudge: ToJudge[];
};

async function lookAtEntries(
  { request, placement }: Landing,
  content: ContentReader,
  signal: AbortSignal,
): Promise<Looked> {
  const looked: Looked = { entries: 0, different: [], toJudge: [] };
  for (const { root, stage, name } of placement.roots) {
    for await (const entry of request.snapshot.entries(root)) {
      throwIfAborted(signal);
      const path = entry.path === '' ? stage : joinBytes(stage, entry.path);
      const shown = entry.path === '' ? name : `${name}/${showPath(entry.path)}`;
      looked.entries += 1;
      const what = differenceOf(entry, path);
      if (what !== undefined) looked.different.push(`${shown} (${what})`);
      else if (entry.type === 'file') {
        await content.add(entry, path, shown);
        const kind = kindOf(entry, path, root.kind);
        if (kind) looked.toJudge.push({ path, name: shown, kind });
      }
    }
  }
  return looked;
}

function kindOf({ path }: Entry, at: BytePath, rootKind: string): FileKind | undefined {
  if (isDatabase(at)) return 'database';
  // Where the transcripts of an agent lie, whatever the folder is called that holds them.
  const isOfAgents = rootKind === 'data' || /(^|\/)sessions\//.test(path);
  return rootKind !== 'workspace' && isOfAgents && path.endsWith('.jsonl') ? 'records' : undefined;
}

function entriesLine({ entries, different }: Looked): CheckLine {
  const ok = different.length === 0;
  const expected = `${entries} as in the snapshot`;
  const found = ok ? expected : `${different.length} differ: ${named(different)}`;
  return { check: 'files, folders and links', ok, critical: true, expected, found };
}

/** A few at a time: an install may have a hundred thousand transcripts. */
async function judge(
  files: readonly ToJudge[],
  tasks: Tasks,
  signal: AbortSignal,
): Promise<Judged[]> {
  const judged: Judged[] = [];
  const waiting = files.values();
  const inFlight = Array.from(
    { length: tasks.threads * PIPELINE.lotsInFlightPerWorker },
    async () => {
      for (const { path, name, kind } of waiting) {
        const { verdict } = await tasks.run('judged', { type: 'judge', path, kind });
        throwIfAborted(signal);
        judged.push({ name, kind, ...verdict });
      }
    },
  );
  await Promise.all(inFlight);
  return judged;
}
