/** Which string literals of a config and its includes name a place that moved. */
import { toFsPath } from '../../base/byte-path.ts';
import type { ConfigFile } from '../config/config-text.ts';
import { fillVariables, loadConfig, variablesIn } from '../config/config-text.ts';
import { lineCounter, visitStrings } from '../config/literals.ts';
import { pathKeyOf } from '../config/path-keys.ts';
import { configVariables, parseDotenv } from '../config/variables.ts';
import { locateIn } from '../disk/locate.ts';
import { expandTilde, isAbsolutePath, restBelow } from '../disk/paths.ts';
import { readFileIfAny } from '../disk/read.ts';
import type { ReadFile } from '../disk/read.ts';
import type { Notice } from '../install/install.ts';
import { movePath } from './path-map.ts';
import type { LiteralChange, RelocationPlan, RelocationRequest } from './relocation.ts';

export function planConfigEdits(request: RelocationRequest): RelocationPlan {
  const read: ReadFile = (path) => {
    const at = locateIn(request.roots, path.toString());
    return at === undefined ? undefined : readFileIfAny(toFsPath(at));
  };
  const config = loadConfig(request.configPath, read);
  const notices: Notice[] = config.problems.map((message) => ({ code: 'config-problem', message }));
  const install = { stateDir: request.stateDir, home: request.oldHome };
  const variables = configVariables({ install, config, env: {}, read });
  // Set wherever the gateway runs, and right there.
  const context = { request, variables: { ...variables, HOME: request.oldHome }, notices };
  // One file may be mounted in several places; its literals are edited once.
  const seen = new Map<string, LiteralChange>();
  for (const file of config.files) {
    for (const change of changesOf(file, context))
      seen.set(`${file.path}\0${change.start}`, change);
  }
  notices.push(...variableNotices(request, read));
  return { edits: [...seen.values()], notices };
}

type Context = {
  readonly request: RelocationRequest;
  readonly variables: Readonly<Record<string, string>>;
  readonly notices: Notice[];
};

function changesOf(file: ConfigFile, context: Context): LiteralChange[] {
  const at = locateIn(context.request.roots, file.path);
  if (at === undefined) return [];
  const changes: LiteralChange[] = [];
  const lineAt = lineCounter(file.bytes);
  visitStrings(file.bytes, (literal) => {
    const path = [...file.mount, ...literal.path()];
    const row = pathKeyOf(path);
    const from = literal.value();
    const where = path.join('.');
    if (row === undefined) return noteOther(context, where, from);
    const to = row.holds === 'bind' ? movedBind(from, context, where) : moved(from, context, where);
    if (to === undefined || to === from) return;
    const { start, end } = literal;
    const line = lineAt(start);
    changes.push({ kind: 'literal', at, file: file.path, where, line, from, to, start, end });
  });
  return changes;
}

/** The text that names the same thing on the new machine; undefined to leave it as it is. */
function moved(written: string, context: Context, where: string): string | undefined {
  const { request, variables, notices } = context;
  if (/^~([\\/]|$)/.test(written)) {
    const old = expandTilde(written, request.oldHome);
    const wanted = movePath(request.map, old);
    // No rule covers it where the home is none's, or for `~\x` of a POSIX machine, which is beside the home.
    if (wanted === undefined || expandTilde(written, request.newHome) === wanted) return undefined;
    const inHome = restBelow(request.newHome, wanted);
    return inHome === undefined ? wanted : `~${inHome}`;
  }
  if (!written.startsWith('$')) return movePath(request.map, written);
  const filled = fillVariables(written, variables);
  const wanted = filled === undefined ? undefined : movePath(request.map, filled);
  if (filled === undefined || wanted === undefined || wanted === filled) return undefined;
  const stays = fillVariables(written, { ...variables, HOME: request.newHome });
  if (stays === wanted) return undefined;
  const inHome = written.startsWith('${HOME}') ? restBelow(request.newHome, wanted) : undefined;
  if (inHome !== undefined) return `\${HOME}${inHome}`;
  notices.push({
    code: 'variable-holds-old-path',
    message: `${where} was ${written} by way of ${variablesIn(written).join(', ')}; it is now written out`,
  });
  return wanted;
}

/** What `.env` says is given to the gateway as it stands: a path of the old machine there needs its user. */
function variableNotices({ stateDir, map }: RelocationRequest, read: ReadFile): Notice[] {
  const file = `${stateDir}/.env`;
  const text = read(file)?.toString('utf8') ?? '';
  return Object.entries(parseDotenv(text)).flatMap(([name, value]) => {
    const to = isAbsolutePath(value) ? movePath(map, value) : undefined;
    if (to === undefined || to === value) return [];
    const message = `${name} in ${file} holds a path of the old machine and was left as it is`;
    return [{ code: 'variable-not-moved', message, hint: 'Look at it on the new machine.' }];
  });
}

/** `host:container[:mode]`: only the host's part is a path of the machine. */
function movedBind(written: string, context: Context, where: string): string | undefined {
  const [, host, rest] = /^((?:[A-Za-z]:[\\/])?[^:]*)(:.*)?$/s.exec(written) ?? [];
  const to = host === undefined ? undefined : moved(host, context, where);
  return to === undefined ? undefined : to + (rest ?? '');
}

/** A path into a root under a key that we do not know is told, not touched. */
function noteOther({ request, notices }: Context, where: string, value: string): void {
  if (!isAbsolutePath(value)) return;
  const to = movePath(request.map, value);
  if (to === undefined || to === value) return;
  notices.push({
    code: 'path-not-moved',
    message: `${where} begins with a path of the old machine and was left as it is`,
  });
}
