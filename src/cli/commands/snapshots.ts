/** snapshots: what is there, oldest first. */
import { printLocation } from '../../store/location.ts';
import { ERROR_CODES } from '../../base/errors.ts';
import { textOption } from '../call.ts';
import { isWhole } from '../looking/history.ts';
import { listFor, ofInstall, snapshotLine } from '../looking/listing.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runSnapshots(call: Call, session: Session): Promise<Report> {
  const location = meantLocation(session);
  const install = textOption(call, 'install');
  const listing = await listFor(session, location);
  const { snapshots, ownOnly, missing, holes, lastDrill } = listing;
  return {
    exit: !isWhole({ missing, holes }) ? ERROR_CODES['history-rolled-back'].exit : 0,
    summary: {
      verb: 'snapshots',
      repository: printLocation(location),
      snapshots: ofInstall(snapshots, install).map(snapshotLine),
      ownOnly,
      missing,
      holes,
      lastDrill,
    },
  };
}
