/** The reader key file that a schedule's jobs work with. */
import { resolve } from 'node:path';
import { FerryError } from '../../base/errors.ts';
import type { Job } from '../../schedule/record.ts';
import type { Location } from '../../store/location.ts';
import { readerAt } from '../places/repositories.ts';
import type { Session } from '../session.ts';
import { needsReader } from './jobs.ts';

/**
 * Tried before it is written down.
 * @throws secret-needed, usage, nothing-opens
 */
export async function readerKeyFor(
  session: Session,
  locations: readonly Location[],
  jobs: readonly Job[],
): Promise<string | undefined> {
  const readers = jobs.filter(({ job }) => needsReader(job)).map(({ job }) => job);
  if (readers.length === 0) return undefined;
  const { options, environment } = session;
  const file = options.readerKey ?? environment.own.readerKeyFile;
  if (file === undefined) throw noKey(readers);
  const [location] = locations;
  if (!location || locations.length > 1) {
    throw new FerryError(
      'usage',
      `${readers.join(', ')} work on one repository, and several are named`,
      {
        hint: 'A reader key opens one of them. Push to several here, and look after each from another machine.',
      },
    );
  }
  await readerAt(session, location);
  if (jobs.some(({ job }) => job === 'push')) session.emit(ON_THE_GATEWAY);
  return resolve(environment.workingFolder, file);
}

const noKey = (readers: readonly string[]): FerryError =>
  new FerryError(
    'secret-needed',
    `a timer that does ${readers.join(', ')} needs a reader key file`,
    {
      hint:
        'It opens and may forget everything, so use it on another machine than the gateway, if you have one: ' +
        'stateferry keys add reader FILE, then schedule install --no-push with --reader-key FILE there.',
    },
  );

const ON_THE_GATEWAY = {
  type: 'notice',
  code: 'reader-key-on-gateway',
  message:
    'the reader key lies on a machine that pushes: whoever takes it can read and forget everything',
  hint: 'If another machine can do it: schedule install --no-push with the reader key there, and only push from here.',
} as const;
