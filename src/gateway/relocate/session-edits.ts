/** `sessionFile` of every session index: an old absolute path there makes the history begin anew, silently. */
import {
  baseNameBytes,
  bytePathFromText,
  joinBytes,
  showPath,
  toFsPath,
} from '../../base/byte-path.ts';
import type { BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { lineCounter, visitStrings } from '../config/literals.ts';
import { locateIn } from '../disk/locate.ts';
import { isAbsolutePath } from '../disk/paths.ts';
import { lstatIfAny, namesIn, readFileIfAny } from '../disk/read.ts';
import type { Notice } from '../install/install.ts';
import { movePath } from './path-map.ts';
import type { LiteralChange, RelocationPlan, RelocationRequest } from './relocation.ts';

export function planSessionEdits(request: RelocationRequest): RelocationPlan {
  const edits: LiteralChange[] = [];
  const notices: Notice[] = [];
  const seen = new Set<BytePath>();
  for (const directory of sessionDirs(request)) {
    const file = `${directory}/sessions.json`;
    const at = locateIn(request.roots, file);
    const bytes = at === undefined ? undefined : readFileIfAny(toFsPath(at));
    // One folder may be spelled in several ways, or reached through a link.
    if (at === undefined || bytes === undefined || seen.has(at)) continue;
    seen.add(at);
    try {
      edits.push(...changesOf(request, { directory, file, at, bytes }));
    } catch (error) {
      // A damaged index is damaged on the old machine too; the transcripts beside it still arrive.
      if (!(error instanceof FerryError) || error.code !== 'file-unreadable') throw error;
      notices.push({ code: 'index-damaged', message: `${file}: ${error.message}` });
    }
  }
  return { edits, notices };
}

/** Those of the agents known, and of agents that only left their folder behind. */
function sessionDirs(request: RelocationRequest): Set<string> {
  const agents = locateIn(request.roots, `${request.stateDir}/agents`);
  const left = agents === undefined ? [] : namesIn(toFsPath(agents));
  return new Set([
    ...request.agents.map((agent) => agent.sessionsDir),
    ...left.map((name) => `${request.stateDir}/agents/${name}/sessions`),
  ]);
}

type Index = {
  readonly directory: string;
  readonly file: string;
  readonly at: BytePath;
  readonly bytes: Buffer;
};

function changesOf(request: RelocationRequest, index: Index): LiteralChange[] {
  const { file, at, bytes } = index;
  const changes: LiteralChange[] = [];
  const lineAt = lineCounter(bytes);
  visitStrings(bytes, (literal) => {
    if (literal.depth !== 2 || literal.keyAt(1) !== 'sessionFile') return;
    const from = literal.value();
    const to = movePath(request.map, from) ?? strayed(request, index, from);
    if (to === undefined || to === from) return;
    const where = `${literal.keyAt(0)}.sessionFile`;
    const { start, end } = literal;
    const line = lineAt(start);
    changes.push({ kind: 'literal', at, file, where, line, from, to, start, end });
  });
  return changes;
}

/** An index that was moved by hand before still names an older machine, while its transcript lies beside it. */
function strayed(request: RelocationRequest, index: Index, from: string): string | undefined {
  if (!isAbsolutePath(from) || locateIn(request.roots, from) !== undefined) return undefined;
  const name = baseNameBytes(bytePathFromText(from.replaceAll('\\', '/')));
  const folder = locateIn(request.roots, index.directory);
  if (folder === undefined || name === '') return undefined;
  if (lstatIfAny(toFsPath(joinBytes(folder, name)))?.isFile() !== true) return undefined;
  const beside = `${index.directory}/${Buffer.from(name, 'latin1').toString('utf8')}`;
  return showPath(name).includes('\\') ? undefined : (movePath(request.map, beside) ?? beside);
}
