/**
 * Every place of a config that can hold a path, as data. `*` is any key or index, `**` the rest. What a path means
 * decides whether its content travels: a `root` does, a `machine` path is moved in the text but belongs to the machine.
 */
import type { KeyPath } from './config-text.ts';

export type PathKey = {
  readonly pattern: readonly string[];
  readonly holds: 'directory' | 'file' | 'bind';
  readonly travels: 'workspace' | 'agent' | 'data' | 'credentials' | 'include' | 'machine';
};

const key = (pattern: string, holds: PathKey['holds'], travels: PathKey['travels']): PathKey => ({
  pattern: pattern.split('.'),
  holds,
  travels,
});

export const PATH_KEYS: readonly PathKey[] = [
  key('agents.defaults.workspace', 'directory', 'workspace'),
  key('agents.list.*.workspace', 'directory', 'workspace'),
  key('agents.entries.*.workspace', 'directory', 'workspace'),
  // The form of the oldest ancestors.
  key('agent.workspace', 'directory', 'workspace'),
  key('agents.list.*.agentDir', 'directory', 'agent'),
  key('agents.entries.*.agentDir', 'directory', 'agent'),
  key('agents.defaults.repoRoot', 'directory', 'data'),
  key('agents.defaults.cwd', 'directory', 'data'),
  key('agents.entries.*.cwd', 'directory', 'data'),
  key('session.store', 'file', 'agent'),
  key('cron.store', 'file', 'data'),
  key('agents.defaults.memorySearch.store.path', 'file', 'data'),
  key('agents.list.*.memorySearch.store.path', 'file', 'data'),
  key('agents.entries.*.memorySearch.store.path', 'file', 'data'),
  key('agents.defaults.memorySearch.extraPaths.*', 'directory', 'data'),
  key('agents.list.*.memorySearch.extraPaths.*', 'directory', 'data'),
  key('agents.entries.*.memorySearch.extraPaths.*', 'directory', 'data'),
  key('agents.defaults.memorySearch.local.modelPath', 'file', 'machine'),
  key('agents.defaults.memorySearch.store.vector.extensionPath', 'file', 'machine'),
  key('memory.qmd.paths.*.path', 'directory', 'data'),
  key('memory.qmd.sessions.exportDir', 'directory', 'data'),
  key('skills.load.extraDirs.*', 'directory', 'data'),
  key('hooks.internal.load.extraDirs.*', 'directory', 'data'),
  key('hooks.transformsDir', 'directory', 'data'),
  key('plugins.load.paths.*', 'directory', 'data'),
  key('plugins.entries.*.config.**', 'file', 'data'),
  key('logging.file', 'file', 'data'),
  key('diagnostics.cacheTrace.filePath', 'file', 'data'),
  key('gateway.tls.certPath', 'file', 'credentials'),
  key('gateway.tls.keyPath', 'file', 'credentials'),
  key('gateway.tls.caPath', 'file', 'credentials'),
  key('gateway.controlUi.root', 'directory', 'machine'),
  key('gateway.remote.sshIdentity', 'file', 'machine'),
  key('canvasHost.root', 'directory', 'data'),
  key('browser.executablePath', 'file', 'machine'),
  key('browser.profiles.*.userDataDir', 'directory', 'data'),
  key('secrets.providers.*.path', 'file', 'credentials'),
  key('secrets.providers.*.command', 'file', 'machine'),
  key('channels.whatsapp.authDir', 'directory', 'credentials'),
  key('channels.whatsapp.accounts.*.authDir', 'directory', 'credentials'),
  key('channels.telegram.tokenFile', 'file', 'credentials'),
  key('channels.telegram.accounts.*.tokenFile', 'file', 'credentials'),
  key('channels.irc.passwordFile', 'file', 'credentials'),
  key('channels.irc.accounts.*.passwordFile', 'file', 'credentials'),
  key('channels.irc.nickserv.passwordFile', 'file', 'credentials'),
  key('channels.irc.accounts.*.nickserv.passwordFile', 'file', 'credentials'),
  key('channels.line.tokenFile', 'file', 'credentials'),
  key('channels.line.secretFile', 'file', 'credentials'),
  key('channels.line.accounts.*.tokenFile', 'file', 'credentials'),
  key('channels.line.accounts.*.secretFile', 'file', 'credentials'),
  key('channels.googlechat.serviceAccountFile', 'file', 'credentials'),
  key('channels.googlechat.accounts.*.serviceAccountFile', 'file', 'credentials'),
  key('channels.msteams.certificatePath', 'file', 'credentials'),
  key('channels.imessage.cliPath', 'file', 'machine'),
  key('channels.imessage.dbPath', 'file', 'machine'),
  key('channels.imessage.accounts.*.cliPath', 'file', 'machine'),
  key('channels.imessage.accounts.*.dbPath', 'file', 'machine'),
  key('agents.defaults.sandbox.workspaceRoot', 'directory', 'machine'),
  key('agents.*.*.sandbox.workspaceRoot', 'directory', 'machine'),
  key('agents.defaults.sandbox.docker.binds.*', 'bind', 'machine'),
  key('agents.*.*.sandbox.docker.binds.*', 'bind', 'machine'),
  key('agents.defaults.sandbox.ssh.*', 'file', 'machine'),
  key('agents.*.*.sandbox.ssh.*', 'file', 'machine'),
  key('models.providers.*.localService.cwd', 'directory', 'machine'),
  key('mcp.servers.*.command', 'file', 'machine'),
  key('mcp.servers.*.cwd', 'directory', 'machine'),
];

/** The row that a place of the config falls under; `$include` counts wherever it stands. */
export function pathKeyOf(path: KeyPath): PathKey | undefined {
  const last = path.at(-1);
  const includes = last === '$include' || (typeof last === 'number' && path.at(-2) === '$include');
  if (includes) return INCLUDE;
  return PATH_KEYS.find((row) => matches(row.pattern, path));
}

const INCLUDE = key('$include', 'file', 'include');

function matches(pattern: readonly string[], path: KeyPath): boolean {
  const open = pattern.at(-1) === '**';
  const fixed = open ? pattern.slice(0, -1) : pattern;
  if (open ? path.length <= fixed.length : path.length !== fixed.length) return false;
  return fixed.every((part, level) => part === '*' || part === String(path[level]));
}
