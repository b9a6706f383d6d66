/**
 * For `--import`: the process is killed as soon as it opens, or moves, what has KILL_AT in its path:
 * `open:/journals/`, `rename:/.stateferry-stage-`.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

// oxlint-disable-next-line node/no-process-env -- what preloads has no other way to be told
const [call, text = ''] = (process.env['KILL_AT'] ?? '').split(':');
const name = `${call}Sync` as 'openSync' | 'renameSync';
const original = fs[name] as (...args: unknown[]) => unknown;
const guarded = (...args: unknown[]): unknown => {
  if (String(args[0]).includes(text)) process.kill(process.pid, 'SIGKILL');
  return original(...args);
};
Object.assign(fs, { [name]: guarded });
syncBuiltinESMExports();
