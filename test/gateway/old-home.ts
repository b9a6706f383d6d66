/** The old user's home, out of sight while the new one is tried; whatever tries to make it again is seen. */
import assert from 'node:assert/strict';
import { existsSync, renameSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';

export type HiddenHome = {
  /** @throws when anything was made there, even if it is gone again */
  assertUntouched(): void;
  close(): void;
};

/** Hides the folder that holds the home, so that nothing in it can be found or made without being seen. */
export function hideHome(home: string): HiddenHome {
  const folder = dirname(home);
  renameSync(folder, `${folder}.hidden`);
  const seen: string[] = [];
  const watcher = watch(dirname(folder), (event, name) => {
    if (name === basename(folder)) seen.push(event);
  });
  return {
    assertUntouched: () => {
      assert.ok(!existsSync(folder), 'something was made in the old home');
      assert.deepEqual(seen, [], 'something was made in the old home and taken away again');
    },
    close: () => watcher.close(),
  };
}
