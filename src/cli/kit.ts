/** The recovery kit: the page that opens a repository when every machine is gone. */
import { printLocation, type Location } from '../store/location.ts';

export type KitParts = {
  readonly recoveryCode: string;
  readonly location: Location;
  readonly repository: string;
  readonly time: string;
};

export function kitPage({ recoveryCode, location, repository, time }: KitParts): string {
  const place = printLocation(location);
  return `stateferry recovery kit

Whoever has this page and can reach the repository can read all of its backups.
Print it, or keep it on a disk that is not in this machine. It is shown once.

  Recovery code   ${recoveryCode}
  Location        ${place}
  Repository      ${repository}
  Created         ${time.slice(0, 10)}

${bucketNote(location)}

On a fresh machine (Node 24.7 or newer):

  npm install -g stateferry
  stateferry snapshots -r '${place}' --recovery-file kit.txt
  stateferry pull -r '${place}' --recovery-file kit.txt

kit.txt is this page, or a file with the recovery code alone. Typed at the
passphrase prompt, the code works too. To go on with backups from there:

  stateferry join '${place}' --recovery-file kit.txt
`;
}

function bucketNote(location: Location): string {
  if (location.kind === 'folder') {
    return `The backups themselves lie in the folder above: keep the disk it is on, too.`;
  }
  return `This page holds no keys of the bucket. Keep those too (access key and secret, or the
login of the account): without them the backups cannot be fetched.`;
}
