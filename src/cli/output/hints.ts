/** What to do next, by error code, where the place that failed knew nothing better. */
import type { ErrorCode } from '../../base/errors.ts';

export const HINTS: Readonly<Record<ErrorCode, string>> = {
  usage: 'stateferry --help lists the verbs; stateferry VERB --help shows how one is used.',
  incomplete: 'The files that failed are named above; everything else is done.',
  'install-not-found': 'stateferry gateways lists the installs of this machine.',
  'install-ambiguous': 'Name the one that is meant, as stateferry gateways prints it.',
  'snapshot-not-found': 'stateferry snapshots lists what is there.',
  'path-not-found': 'stateferry ls SNAPSHOT lists what is in a snapshot.',
  'cli-missing': "Install the product's own command for this user, then run the same again.",
  'cli-too-old': "Update the product's own command, then run the same again.",
  'remote-mode': 'Run stateferry on the machine where the gateway itself runs.',
  'no-space': 'Make room and run the same again: what was done is not done twice.',
  'settings-locked': 'Wait until the other stateferry has finished.',
  'repository-missing': 'Check the location; stateferry init LOCATION creates a repository.',
  'repository-exists': 'stateferry join LOCATION uses it from this machine.',
  'repository-damaged': 'stateferry check names what is damaged.',
  'nothing-opens': 'Try again, or use the recovery code: --recovery-file FILE',
  'secret-needed': 'Give --passphrase-file FILE or --recovery-file FILE, or run it on a terminal.',
  'not-joined':
    'Run stateferry join LOCATION (or init, for a new repository) on this machine first.',
  'store-denied': 'Check the credentials and what they may do: stateferry probe LOCATION',
  'store-clock': "Set this machine's clock; servers refuse requests from another time.",
  'store-unreachable': 'Check the network and the address, then run the same again.',
  'store-busy': 'Wait a little and run the same again.',
  'store-refused': 'stateferry probe LOCATION says what this store can do.',
  'object-missing': 'stateferry check names what depends on it.',
  'object-damaged':
    'Use another snapshot or another copy; stateferry check names what depends on it.',
  'object-foreign': 'Check that this is the right disk or bucket, and who may write there.',
  'format-too-new': 'Update stateferry: npm install -g stateferry@latest',
  'target-unsafe': 'Nothing was changed. Look at the named path first.',
  'gateway-unstoppable': 'Stop the gateway by hand, then run the same again.',
  'checklist-failed':
    'The lines that failed are marked above; what was replaced still lies where it was moved.',
  'history-rolled-back':
    'Somebody may be showing an old state of the repository: check who may write there.',
  'ticket-expired': 'Make a new one on the old machine: stateferry handoff',
  'ticket-used': 'Another machine has taken over with it; the old machine’s status says which.',
  'ticket-cancelled': 'The old machine took it back. Make a new one there: stateferry handoff',
  'confirmation-needed': 'Run the same with --yes when it is meant.',
  overdue:
    'stateferry schedule status says when each job last did what it is for, and why not since.',
  'machine-revoked': 'Run stateferry join LOCATION to let this machine write again.',
  'platform-unsupported': 'Use Linux, macOS, or Windows through WSL2.',
  'scheduler-missing': 'Let whatever starts things on this machine run stateferry push once a day.',
  'scheduler-failed': 'Run the command by itself to see what is wrong with it.',
  'file-unreadable': 'Run it as the user who runs the gateway, or with sudo.',
  'file-write': 'Check the folder and who may write there, then run the same again.',
  'gateway-command': "The product's own output is above.",
  bug: 'This is a mistake in stateferry: run the same with --verbose and report what it prints.',
  interrupted: 'Run the same again; a push or a pull goes on where it was stopped.',
};
