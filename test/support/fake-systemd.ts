/**
 * A `systemctl --user` for tests: unit files of a home are started and stopped for real, each by a small process that
 * stands for the manager. Put the folder in front of a PATH.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type FakeSystemd = {
  readonly binDir: string;
  /** Ends everything that it has started. */
  stop(): void;
  /** Units that run, with the process that keeps them. */
  running(): string[];
};

/** @param home whose `.config/systemd/user` it reads */
export function makeFakeSystemd(folder: string, home: string): FakeSystemd {
  const binDir = join(folder, 'bin');
  const state = join(folder, 'state');
  for (const path of [binDir, state]) mkdirSync(path, { recursive: true });
  const child = join(import.meta.dirname, 'fake-systemd-child.ts');
  const script = [
    '#!/bin/sh',
    `exec '${process.execPath}' '${child}' '${state}' '${home}/.config/systemd/user' "$@"`,
    '',
  ];
  writeFileSync(join(binDir, 'systemctl'), script.join('\n'), { mode: 0o755 });
  const keepers = (): string[] => readdirSync(state).filter((name) => name.endsWith('.pid'));
  return {
    binDir,
    running: () => keepers().map((name) => name.slice(0, -'.pid'.length)),
    stop: () => {
      for (const name of keepers()) {
        try {
          process.kill(-Number(readFileSync(join(state, name), 'utf8')), 'SIGKILL');
        } catch {
          // It has ended by itself.
        }
      }
    },
  };
}
