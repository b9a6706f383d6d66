/** How much of everything a snapshot promises: its own counts, made fair where they cannot be exact. */
import { asBytePath, parseShownPath, type BytePath } from '../../base/byte-path.ts';
import type { SnapshotBody } from '../../format/snapshot.ts';
import { transcriptFolders, type IsOmitted } from '../contents/count-install.ts';
import { isWithin } from '../disk/paths.ts';
import type { InstallCounts } from '../install/counts.ts';
import type { GatewayRecord } from '../install/record.ts';
import type { CountsExpected } from './checklist.ts';

/**
 * Between the least and the most that is right. Files of workspaces were counted as they were captured, and are exact.
 * Others that could not be captured are named in the snapshot and not expected; where a gateway was running, some came
 * and went between the counts and the capture: what was found in the verified stage is right then too.
 * @param lost as `lostFiles` names them
 */
export function expectedCounts(
  record: GatewayRecord,
  lost: readonly string[],
  staged: InstallCounts,
): CountsExpected {
  const { countsBefore, countsAfter } = record;
  const counts = [countsBefore, countsAfter, without(countsBefore, record, lost)];
  const files = record.running ? [...counts, withFilesOf(countsBefore, staged)] : counts;
  return { countsBefore: fold(files, Math.min), countsAfter: fold(files, Math.max) };
}

/** Files that the old machine could not read, by every name that they had there. */
export function lostFiles(record: GatewayRecord, body: SnapshotBody): string[] {
  return body.problems.flatMap(({ path }) => {
    const [name = '', ...rest] = path.split('/');
    const root = record.roots.find((one) => one.name === name);
    if (root === undefined) return [];
    return [root.path, ...root.aliases].map((base) =>
      Buffer.from(parseShownPath([base, ...rest].join('/')), 'latin1').toString('utf8'),
    );
  });
}

/** Beside the entries of a root that is only some entries of a folder lies what was never part of the install. */
export function besidePartial(
  at: readonly (readonly [root: string, path: BytePath])[],
  record: GatewayRecord,
): IsOmitted {
  const partial = at.flatMap(([name, path]) => {
    const only = record.roots.find((root) => root.name === name)?.only;
    return only ? [{ path, names: new Set<string>(only.map(parseShownPath)) }] : [];
  });
  const whole = at.filter(([name]) => !record.roots.find((root) => root.name === name)?.only);
  return (path, type) => {
    const isRoot = whole.some(([, root]) => path === root);
    if (isRoot && type === 'start') return false;
    if (!isRoot && whole.some(([, root]) => path.startsWith(`${root}/`))) return false;
    const folder = partial.find((one) => path.startsWith(`${one.path}/`));
    if (folder === undefined) return false;
    const rest = asBytePath(path.slice(folder.path.length + 1));
    return !folder.names.has(rest.split('/')[0] ?? '');
  };
}

function without(
  counts: InstallCounts,
  record: GatewayRecord,
  lost: readonly string[],
): InstallCounts {
  const lostIn = (folder: string, isOne: (path: string) => boolean = () => true): number =>
    new Set(lost.filter((path) => isWithin(folder, path) && isOne(path))).size;
  const folderOf = new Map(record.agents.map((agent) => [agent.id, agent.sessionsDir]));
  return {
    ...counts,
    agents: counts.agents.map((agent) => {
      const folder = folderOf.get(agent.id) ?? `${record.stateDir}/agents/${agent.id}/sessions`;
      const noIndex = lost.includes(`${folder}/sessions.json`);
      const places = transcriptFolders(record.stateDir, { id: agent.id, sessionsDir: folder });
      const lostHere = places.map((place) => lostIn(place, (path) => path.endsWith('.jsonl')));
      const transcripts = agent.transcripts - lostHere.reduce((sum, count) => sum + count, 0);
      return { ...agent, sessions: noIndex ? 0 : agent.sessions, transcripts };
    }),
    credentialFiles: counts.credentialFiles - lostIn(`${record.stateDir}/credentials`),
  };
}

/** Sessions and jobs are what must not get lost: of those the stage is no witness. */
const withFilesOf = (counts: InstallCounts, staged: InstallCounts): InstallCounts => ({
  ...counts,
  credentialFiles: staged.credentialFiles,
});

type Choose = (...numbers: number[]) => number;

function fold(all: readonly InstallCounts[], choose: Choose): InstallCounts {
  const [first, ...others] = all;
  if (first === undefined) throw new RangeError('no counts');
  const of = (own: number, pick: (other: InstallCounts) => number | undefined): number =>
    choose(own, ...others.flatMap((other) => pick(other) ?? []));
  return {
    ...first,
    agents: first.agents.map(({ id, sessions, transcripts }) => {
      const same = (one: InstallCounts) => one.agents.find((agent) => agent.id === id);
      return {
        id,
        sessions: of(sessions, (one) => same(one)?.sessions),
        transcripts: of(transcripts, (one) => same(one)?.transcripts),
      };
    }),
    credentialFiles: of(first.credentialFiles, (one) => one.credentialFiles),
    cronJobs: of(first.cronJobs, (one) => one.cronJobs),
    workspaces: first.workspaces.map(({ path, files }) => ({
      path,
      files: of(files, (one) => one.workspaces.find((other) => other.path === path)?.files),
    })),
  };
}
