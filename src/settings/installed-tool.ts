/** Where this tool and its Node lie, by names that outlast the shell that they were called from. */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { FerryError, systemCode } from '../base/errors.ts';

/** Package runners put what they run into a cache, and clean it when they like. */
const RUNNER_CACHE = /\/(_npx|dlx-[^/]+|bunx-[^/]+|\.yarn\/(berry\/)?cache|xfs-[^/]+)\//;
/** Made for one shell, gone with it. */
const OF_ONE_SHELL = /\/fnm_multishells\//;

/**
 * The words by which a timer starts this tool.
 * @param path the caller's PATH, where Node may have a name that survives its next update
 * @throws usage when it was started from a cache
 */
export function installedTool(node: string, script: string, path: string): [string, string] {
  const program = lastingNode(node, path);
  const tool = OF_ONE_SHELL.test(script) ? realPath(script) : script;
  for (const one of [program, tool]) {
    if (!RUNNER_CACHE.test(`${realPath(one)}/`)) continue;
    throw new FerryError('usage', `a timer cannot rely on ${one}: it lies in a cache of npx`, {
      hint: 'Install both for good, then run this again: Node 24 (https://nodejs.org) and npm install -g stateferry',
    });
  }
  return [program, tool];
}

/** Of the words that a timer was installed with, those that lead nowhere any more. */
export const goneOf = (words: readonly string[]): string[] =>
  words.filter((word) => word.startsWith('/') && !existsSync(word));

/** `/opt/homebrew/bin/node` rather than the folder of one version behind it. */
function lastingNode(node: string, path: string): string {
  const real = realPath(node);
  const names = path.split(':').filter((folder) => folder.startsWith('/'));
  const found = names
    .map((folder) => join(folder, 'node'))
    .find((one) => !OF_ONE_SHELL.test(one) && existsSync(one) && realPath(one) === real);
  return found ?? real;
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return path;
  }
}
