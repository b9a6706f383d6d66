/** What the demo looks at by itself, beside the checklist of the pull. */
import { bytePathFromText } from '../../base/byte-path.ts';
import { askDatabase } from '../../gateway/disk/database.ts';
import { readFileIfAny } from '../../gateway/disk/read.ts';
import type { Sample } from '../../gateway/sample/sample-install.ts';
import type { PullSummary } from '../output/pull/summary.ts';

type Line = PullSummary['checklist'][number];

export type DemoFound = {
  readonly oldHome: string;
  readonly newHome: string;
  readonly sample: Sample;
};

export function demoChecks({ oldHome, newHome, sample }: DemoFound): Line[] {
  const moved = (path: string): string => newHome + path.slice(oldHome.length);
  return [
    databaseLine(moved(sample.databasePath)),
    oldPathsLine(oldHome, [
      moved(sample.configPath),
      ...Object.keys(sample.sessionsPerAgent).map(
        (agent) => `${moved(sample.stateDir)}/agents/${agent}/sessions/sessions.json`,
      ),
    ]),
  ];
}

/** Captured while rows were being committed. */
function databaseLine(path: string): Line {
  const found = askDatabase(bytePathFromText(path), (database) => {
    const row = database.prepare('PRAGMA integrity_check').get();
    return String(row?.['integrity_check']);
  });
  return { check: 'database intact', ok: found === 'ok', expected: 'ok', found };
}

function oldPathsLine(oldHome: string, files: readonly string[]): Line {
  const texts = files.map((path) => readFileIfAny(path)?.toString('utf8'));
  const missing = texts.filter((text) => text === undefined).length;
  const stale = texts.filter((text) => text?.includes(oldHome) === true).length;
  const found =
    missing + stale === 0 ? 'none' : `in ${stale} files, and ${missing} files are missing`;
  return {
    check: 'paths of the old home in config and sessions',
    ok: found === 'none',
    expected: 'none',
    found,
  };
}
