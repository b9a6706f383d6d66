/** What opens a repository, in words. */
import { printableLine } from '../text/printable.ts';
import type { KeysSummary } from '../summary.ts';
import { tableLines } from '../text/table.ts';
import { shortId, timeText } from '../text/words.ts';

export function keysLines({ added, removed, file, keys }: KeysSummary): string[] {
  const rows = keys.map(({ id, opensWith, time, isOpened, problem }) => [
    shortId(id),
    opensWith,
    timeText(time),
    problem === undefined ? (isOpened ? 'opened it now' : '') : printableLine(problem),
  ]);
  return [
    ...(added === null ? [] : [`added ${shortId(added)}${fileText(file)}`]),
    ...(removed === null ? [] : [`removed ${shortId(removed)}`, ...NOT_UNLEARNT]),
    ...tableLines(
      [{ title: 'id' }, { title: 'opens with' }, { title: 'added' }, { title: '' }],
      rows,
    ),
  ];
}

const fileText = (file: string | null): string =>
  file === null ? '' : `: it is in ${printableLine(file)}, keep it off this machine`;

const NOT_UNLEARNT = [
  'Whoever opened the repository with it may have kept the keys, or an old copy of the bucket. If somebody did who',
  'must not read new backups: make a fresh repository (stateferry init), copy into it what you keep (stateferry copy),',
  'and push there from now on.',
];
