import { openFolderStore, type FolderStoreOptions } from './folder-store.ts';
import { probeReads, startProbe } from './probe-run.ts';
import type { ProbeDeps, ProbeReport } from './probe.ts';

const BODY = Buffer.from('stateferry probe');

/** What this folder's file system does. */
export async function probeFolder(
  path: string,
  deps: ProbeDeps,
  signal: AbortSignal,
  options: FolderStoreOptions = {},
): Promise<ProbeReport> {
  const store = await openFolderStore(path, options);
  const run = startProbe(store, deps, signal);
  const name = run.newName();
  const first = await run.ask('writing', () => store.put(name, BODY, { createOnly: true }, signal));
  const second =
    first &&
    (await run.ask('create-only', () => store.put(name, BODY, { createOnly: true }, signal)));
  const reads = await probeReads(run, name, BODY);
  const dateMs = await run.ask('the clock', () => store.dateMs(signal));
  return {
    location: store.location,
    kind: 'folder',
    write: first === undefined ? 'denied' : 'yes',
    ...reads,
    createOnly: second === undefined ? 'unknown' : second.outcome === 'exists' ? 'atomic' : 'none',
    createOnlyRefusal: undefined,
    race: undefined,
    uploadChecksum: 'none',
    listPages: 'yes',
    versioning: 'off',
    objectLock: 'off',
    clockDifferenceMs: dateMs === undefined ? 0 : dateMs - deps.clock.nowMs(),
    ...(await run.finish()),
  };
}
