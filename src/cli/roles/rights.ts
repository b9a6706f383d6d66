/**
 * Who may do what in a bucket, as data. The one source of what `stateferry policy` prints and of the policies in
 * infra/: a test holds the files there to it.
 */
import { HEADER_NAME, type SharedFolder, type WriterFolder } from '../../format/names.ts';

export const ROLES = ['writer', 'reader', 'handoff', 'maintainer'] as const;
export type Role = (typeof ROLES)[number];

export type Right = {
  readonly sid: string;
  readonly actions: readonly string[];
  /** Names below the prefix, `*` for any end; undefined: the bucket itself. */
  readonly names?: readonly string[];
};

/** What a writer stores in its own folders it also reads back, but for packs: they are what a thief would want. */
const OWN_FOLDERS: Readonly<Record<WriterFolder, 'adds' | 'adds and reads'>> = {
  packs: 'adds',
  indexes: 'adds and reads',
  lists: 'adds and reads',
  snapshots: 'adds and reads',
  drills: 'adds and reads',
};

type SharedRights = {
  readonly writerReads: 'all' | 'its own' | 'none';
  readonly handoffAdds: boolean;
  /** Whether one of ours is ever stored over what lies there. */
  readonly isReplaced: boolean;
};

const SHARED_FOLDERS: Readonly<Record<SharedFolder, SharedRights>> = {
  keys: { writerReads: 'none', handoffAdds: false, isReplaced: false },
  writers: { writerReads: 'its own', handoffAdds: false, isReplaced: false },
  revocations: { writerReads: 'its own', handoffAdds: false, isReplaced: true },
  forgets: { writerReads: 'all', handoffAdds: false, isReplaced: false },
  repacks: { writerReads: 'all', handoffAdds: false, isReplaced: false },
  tombstones: { writerReads: 'all', handoffAdds: false, isReplaced: false },
  grants: { writerReads: 'none', handoffAdds: true, isReplaced: true },
  claims: { writerReads: 'none', handoffAdds: true, isReplaced: true },
  receipts: { writerReads: 'none', handoffAdds: true, isReplaced: true },
};

/** Objects that nobody ever stores over others, so that a bucket may refuse it. */
export const NEVER_REPLACED: readonly string[] = [
  HEADER_NAME,
  ...Object.keys(OWN_FOLDERS).map((folder) => `${folder}/*`),
  ...Object.entries(SHARED_FOLDERS)
    .filter(([, { isReplaced }]) => !isReplaced)
    .map(([folder]) => `${folder}/*`),
];

/** @param writer the id of the machine that the rights are for; readers and maintainers have no folder of their own */
export function rightsOf(role: Role, writer: string): readonly Right[] {
  switch (role) {
    case 'writer':
      return [adding(ownFolders(writer)), readingForPush(writer), LISTING];
    case 'reader':
      return [READING, TELLING_OF_DRILLS, LISTING];
    case 'handoff':
      return [READING, adding([...ownFolders(writer), ...TICKET_FOLDERS]), TAKING_BACK, LISTING];
    default:
      return [MAINTAINING, KNOWING_THE_BUCKET];
  }
}

const TICKET_FOLDERS = Object.entries(SHARED_FOLDERS)
  .filter(([, { handoffAdds }]) => handoffAdds)
  .map(([folder]) => `${folder}/*`);

const READING: Right = { sid: 'ReadEverything', actions: ['s3:GetObject'], names: ['*'] };

/** Signed by the machine that ran it: in another's folder it would mean nothing. */
const TELLING_OF_DRILLS: Right = {
  sid: 'AddDrillRecords',
  actions: ['s3:PutObject'],
  names: ['drills/*'],
};

/** Without a condition: a question for one absent object has no prefix, and would be denied. */
const LISTING: Right = { sid: 'ListSoThatAbsentIsNotDenied', actions: ['s3:ListBucket'] };

const TAKING_BACK: Right = {
  sid: 'TakeATicketBack',
  actions: ['s3:DeleteObject'],
  names: ['grants/*'],
};

const MAINTAINING: Right = {
  sid: 'ReadWriteAndDeleteBelowThePrefix',
  actions: [
    's3:GetObject',
    's3:PutObject',
    's3:DeleteObject',
    's3:AbortMultipartUpload',
    's3:GetObjectRetention',
    's3:PutObjectRetention',
  ],
  names: ['*'],
};

const KNOWING_THE_BUCKET: Right = {
  sid: 'ListAndKnowTheBucket',
  actions: [
    's3:ListBucket',
    's3:ListBucketVersions',
    's3:GetBucketVersioning',
    's3:GetLifecycleConfiguration',
    's3:GetBucketObjectLockConfiguration',
    's3:PutBucketObjectLockConfiguration',
  ],
};

const adding = (names: readonly string[]): Right => ({
  sid: 'AddObjects',
  actions: ['s3:PutObject', 's3:AbortMultipartUpload'],
  names,
});

const ownFolders = (writer: string): string[] =>
  Object.keys(OWN_FOLDERS).map((folder) => `${folder}/${writer}/*`);

function readingForPush(writer: string): Right {
  const own = Object.entries(OWN_FOLDERS)
    .filter(([, may]) => may === 'adds and reads')
    .map(([folder]) => `${folder}/${writer}/*`);
  const shared = Object.entries(SHARED_FOLDERS).flatMap(([folder, { writerReads }]) =>
    writerReads === 'none' ? [] : [`${folder}/${writerReads === 'all' ? '*' : writer}`],
  );
  const names = [HEADER_NAME, ...own, ...shared];
  return { sid: 'ReadWhatAPushReads', actions: ['s3:GetObject'], names };
}
