/** What a push would take: the walk without the reading. */
import { throwIfAborted } from '../../base/errors.ts';
import { walkTree } from '../../fs/walk.ts';
import type { Install } from '../../gateway/install/install.ts';
import { OmissionLog } from '../../push/omission-log.ts';
import { omitRuleOf } from '../../push/omit-spec.ts';
import type { PushSource } from '../../push/archive-install.ts';
import { printLocation, type Location } from '../../store/location.ts';
import { discoverRequest } from '../installs.ts';
import type { PlannedPush, PlannedRoot } from '../output/push/summary.ts';
import { sourceFor, type PushWishes } from './push-installs.ts';
import type { Session } from '../session.ts';

export async function planPush(
  session: Session,
  locations: readonly Location[],
  installs: readonly Install[],
  wishes: PushWishes,
): Promise<PlannedPush[]> {
  const request = discoverRequest(session, 'remembered');
  const plans: PlannedPush[] = [];
  for (const install of installs) {
    const source = await sourceFor(session, request, install, wishes);
    for (const notice of source.notices) session.emit({ type: 'notice', ...notice });
    const plan = planOne(session, source);
    for (const location of locations) {
      plans.push({ ...plan, install: install.install, repository: printLocation(location) });
    }
  }
  return plans;
}

function planOne(
  session: Session,
  source: PushSource,
): Omit<PlannedPush, 'install' | 'repository'> {
  const roots: PlannedRoot[] = [];
  const omissions = [...source.omissions];
  const problems = [...source.problems];
  for (const root of source.roots) {
    throwIfAborted(session.signal);
    const log = new OmissionLog(root.name, session.emit);
    let files = 0;
    let bytes = 0;
    const linked = new Set<string>();
    for (const item of walkTree(root.readFrom, { omit: omitRuleOf(root.omit), sqliteSets: true })) {
      if (item.kind === 'omission') log.omission(item.path, item.reason);
      else if (item.kind === 'problem') log.problem(item.path, item.code, item.message);
      else if (item.type === 'file') {
        const inode = `${item.dev}:${item.ino}`;
        if (linked.has(inode)) continue; // a further name of a file that is counted already
        if (item.nlink > 1) linked.add(inode);
        files += 1;
        bytes += item.size;
      }
    }
    roots.push({ name: root.name, path: root.path, files, bytes });
    for (const omission of log.omissions) omissions.push(omission);
    for (const problem of log.problems) problems.push(problem);
  }
  const sum = (of: 'files' | 'bytes'): number => roots.reduce((total, one) => total + one[of], 0);
  return { roots, files: sum('files'), bytes: sum('bytes'), omissions, problems };
}
