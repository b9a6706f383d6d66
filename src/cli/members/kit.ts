/**
 * The recovery kit: the page that opens a repository when every machine is gone. Whoever types from it may never have
 * seen stateferry before: every command works as it stands on a machine that has npm and nothing of ours.
 */
import { printLocation, type Location } from '../../store/location.ts';

export type KitParts = {
  readonly recoveryCode: string;
  /** As any machine finds it: without what the settings or the environment of this one add. */
  readonly location: Location;
  readonly repository: string;
  readonly time: string;
};

/** Brings a Node that is new enough for us; the assistant's own command goes on with the machine's. */
const STATEFERRY = 'npx -y -p node@24 -p stateferry stateferry';

export function kitPage({ recoveryCode, location, repository, time }: KitParts): string {
  const place = `'${printLocation(location)}'`;
  const from = `${place} --recovery-file kit.txt`;
  return `stateferry recovery kit

Whoever has this page and can reach the repository can read all of its backups.
Print it, or keep it on a disk that is not in this machine. It is shown once.

  Recovery code   ${recoveryCode}
  Location        ${printLocation(location)}
  Repository      ${repository}
  Created         ${time.slice(0, 10)}

IF THE MACHINE IS GONE

You need a machine with Linux or macOS and npm. Type as the user who shall run
the assistant. Nothing there is lost: what is in the way is moved aside.

1. Save this page there as kit.txt. If you have it on paper only, leave out
   "--recovery-file kit.txt" below: you are asked, and type the recovery code.
   The passphrase will do as well.

2. ${beforeThePull(location)}

3. Bring the assistant back:

     ${STATEFERRY} pull -r ${from}

   Everything is fetched and checked before anything is put in its place. If it
   says that the assistant's own command is not there, or a snapshot is not
   whole, it also says what to type. At its end stands what is left to do.

4. Go on with the backups from there:

     ${STATEFERRY} join ${from}
     ${STATEFERRY} push

   Once a night: npm install -g stateferry (with Node 24.7 or newer), and then
   stateferry schedule install.

5. If the old machine was stolen, or may come back: stateferry machines lists
   it, stateferry machines revoke NAME shuts it out. Its gateway must never be
   started again: two of one identity break the logins of both.

To look before you act:

     ${STATEFERRY} snapshots -r ${from}
`;
}

function beforeThePull({ kind }: Location): string {
  return kind === 'folder' ? DISK : BUCKET_KEYS;
}

const DISK = `Attach the disk: the backups lie in the folder above, and are lost without it.
   If it is mounted elsewhere there, put that folder's name in its place below.`;

const BUCKET_KEYS = `Give the keys of the bucket. This page does not hold them: keep them too, or
   the login of the account that makes new ones. Without them nothing can be
   fetched.

     export AWS_ACCESS_KEY_ID='...'
     export AWS_SECRET_ACCESS_KEY='...'`;
