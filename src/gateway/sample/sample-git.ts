/** A git repository of one commit, written file by file, so that no git is needed to make it. */
import { mkdirSync, writeFileSync } from 'node:fs';

const COMMIT = '63b76f3ee896904abbf3840d7fb1520766ee0e33';

/** The loose objects as git stored them: a commit, its tree, its one file. */
const OBJECTS: Readonly<Record<string, string>> = {
  '63/b76f3ee896904abbf3840d7fb1520766ee0e33':
    'eAGVjcEKQiEQRVv7FbMPwvGFGkTUpv8Yx5GEZ4Zvgj4/+4TO5sCBy+XeWlVA73Y6RCAnR6XknBmFvI/LMRBO' +
    'Sy6R0wljwSSO2dBbH33Aba0scKafrvKh9lrlwL1dAIMP3i7eWtjbiZl1Xqn8NTL3OjaFZ1fZzBdq1DUA',
  '1a/d846d92bfe4d3adc4c4f8c542451ef46b59bc7':
    'eAFLyslPUjC1YFBW8MsvSS1WyE9TKMlIVShKLU5NLErOUEhMT80r4eIKLkksKklNUcjPU0hUKCzNTC1R8M3PS0ms1OMCAM+vFdw=',
  'db/2affdddc1ea668347a1668edf8cb918f1be2cc':
    'eAErKUpNVTA2YzA0MDAzMVHw8w9xDdbLTWGQuuF2U/ufr9UdH/+eEJXA925bZx8HACtrD+o=',
};

/** Its stat data is of another file: git looks again and finds the content unchanged. */
const INDEX = [
  'RElSQwAAAAIAAAABawFNoDn9Z2prAU2gOf1nagAA/gAAo0JJAACBpAAAAAAAAAAAAAAAOhrYRtkr/k063ExPjFQkUe9GtZvH',
  'AAhOT1RFUy5tZAAAVFJFRQAAABkAMSAwCtsq/93cHqZoNHoWaO34y5GPG+LMFsPbcse1KmzdXK8Rs1J7JllT8m4=',
].join('');

const NOTES = '# Notes of the research agent\n\nStarted on a quiet Monday.\n';
const CONFIG =
  '[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n\tlogallrefupdates = true\n';

/** The committed NOTES.md, a file not yet added, and a hook that is executable. */
export function writeRepository(folder: string): void {
  for (const part of ['objects/info', 'objects/pack', 'refs/heads', 'refs/tags', 'hooks']) {
    mkdirSync(`${folder}/.git/${part}`, { recursive: true });
  }
  writeFileSync(`${folder}/.git/HEAD`, 'ref: refs/heads/main\n');
  writeFileSync(`${folder}/.git/config`, CONFIG);
  writeFileSync(`${folder}/.git/refs/heads/main`, `${COMMIT}\n`);
  writeFileSync(`${folder}/.git/hooks/pre-commit`, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
  writeFileSync(`${folder}/.git/index`, Buffer.from(INDEX, 'base64'));
  for (const [name, content] of Object.entries(OBJECTS)) {
    mkdirSync(`${folder}/.git/objects/${name.slice(0, 2)}`, { recursive: true });
    writeFileSync(`${folder}/.git/objects/${name}`, Buffer.from(content, 'base64'), {
      mode: 0o444,
    });
  }
  writeFileSync(`${folder}/NOTES.md`, NOTES);
  writeFileSync(`${folder}/draft.md`, 'Not committed yet.\n');
}
