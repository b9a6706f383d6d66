/** What is left for a person after a pull, and which secrets have travelled: in words. */
import type { SecretCount, SecretKind } from '../../../gateway/contents/secrets-inventory.ts';
import type { PersonNeeded } from '../../../gateway/landing/needs-person.ts';
import { bytePathFromText } from '../../../base/byte-path.ts';
import { unreachable } from '../../../base/errors.ts';
import { shellWord } from '../../../base/shell-word.ts';
import type { AnswerChoices } from '../answers.ts';
import { printableLine } from '../text/printable.ts';
import type { PullSummary } from './summary.ts';

type Advice = NonNullable<PullSummary['warnings']>[number];
type Secret = NonNullable<PullSummary['secrets']>[number];

export function adviceFor(need: PersonNeeded): Advice {
  const code = need.kind;
  switch (need.kind) {
    case 'start-gateway':
      return {
        code,
        message: `the gateway does not run yet: ${need.why}`,
        hint: `Start it: ${need.command}`,
      };
    case 'relink':
      return {
        code,
        message:
          `the ${need.channel} login is ${need.ageDays} days old: ` +
          'its keys change with every message, so it may be refused',
        hint: 'If the channel does not connect, link it again on the phone.',
      };
    case 'native-modules':
      return {
        code,
        message: `compiled parts of plugins are for another kind of machine: ${need.folders.join(', ')}`,
        hint: `In each of these folders: npm install --omit=dev`,
      };
    case 'service-variables':
      return {
        code,
        message: `${need.service} of the old machine set ${need.names.join(', ')}, and service files do not travel`,
        hint: 'Put them into .env of the state dir, which does.',
      };
    case 'shell-variables':
      return {
        code,
        message: `the config names ${need.names.join(', ')}, which nothing sets here`,
        hint: 'They came from the shell of the old machine: put them into .env of the state dir.',
      };
    case 'tools':
      return {
        code,
        message: `the config names what is not on this machine: ${need.missing
          .map(({ key, path }) => `${path} (${key})`)
          .join(', ')}`,
        hint: 'Install it, or change the config.',
      };
    case 'open-modes':
      return {
        code,
        message:
          `other users of this machine may read ${need.open.map(({ path }) => path).join(', ')}: ` +
          'modes are restored as they were',
        hint: need.open
          .map(({ path, mode }) => `chmod ${mode} ${shellWord(bytePathFromText(path))}`)
          .join(' && '),
      };
    case 'old-gateway':
      return {
        code,
        message: `the gateway on the old machine must not be started again${ofChannels(need.channels)}`,
        hint: 'Disable its service there. Two of one identity break logins and pairings of both.',
      };
    default:
      return unreachable(need);
  }
}

const ofChannels = (channels: readonly string[]): string =>
  channels.length === 0 ? '' : `: ${channels.join(', ')} would answer twice, or log out`;

const ROTATE: Readonly<Record<SecretKind, string>> = {
  'provider keys': "make new ones on the provider's page, and revoke these",
  'provider logins': "sign out everywhere on the provider's page, and log in again",
  'keys in .env': 'make new ones where each comes from',
  'gateway tokens': 'change gateway.auth in the config; every client needs the new one',
  'channel tokens': 'make new ones (Telegram: @BotFather, Discord: developer portal)',
  'WhatsApp logins': 'unlink the device on the phone, and link again',
  'other channel logins': 'end the session in the app, and log in again',
  'device identities': 'remove identity of the state dir, and pair again',
  'paired devices': 'remove them from the list of devices, and pair again',
  'stored secrets': 'make new ones where each comes from',
  'TLS keys': 'make a new key and certificate',
};

export const secretFor = ({ kind, count }: SecretCount): Secret => ({
  kind,
  count,
  rotate: ROTATE[kind],
});

export function afterPullLines(
  { warnings = [], secrets = [], undone }: PullSummary,
  { verbose }: AnswerChoices,
): string[] {
  if (undone) return [];
  // Several installs of one machine have the same to say.
  const advice = new Map(warnings.map(({ message, hint }) => [message, hint]));
  return [
    ...(advice.size > 0 ? ['for you to do:'] : []),
    ...[...advice].flatMap(([message, hint]) => [
      `  ${printableLine(message)}`,
      `    ${printableLine(hint)}`,
    ]),
    ...secretLines(secrets, verbose),
  ];
}

function secretLines(secrets: readonly Secret[], verbose: boolean): string[] {
  if (secrets.length === 0) return [];
  const list = secrets.map(countedText).join(', ');
  if (!verbose) return [`secrets that travelled: ${list} (--verbose: what to rotate if exposed)`];
  return [
    'secrets that travelled, and what to do if they were exposed:',
    ...secrets.map(({ kind, count, rotate }) => `  ${countedText({ kind, count })}: ${rotate}`),
  ];
}

/** `1 device identity`, `3 keys in .env`. */
const countedText = ({ kind, count }: Pick<Secret, 'kind' | 'count'>): string =>
  `${count} ${count === 1 ? kind.replace(/ies\b|s\b/, (end) => (end === 's' ? '' : 'y')) : kind}`;
