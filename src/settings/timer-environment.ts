/** Which variables of this shell a timer is given, and which it will not have. */
import { callersOwn } from './callers-own.ts';
import type { Environment } from './environment.ts';

/** Where things are. What is a secret, or may hold one, is never written into a timer. */
const CARRIED = new Set([
  'PATH',
  'STATEFERRY_HOME',
  'XDG_CONFIG_HOME',
  'XDG_CACHE_HOME',
  'AWS_PROFILE',
  'AWS_REGION',
  'AWS_DEFAULT_REGION',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_S3',
  'AWS_CONFIG_FILE',
  'AWS_SHARED_CREDENTIALS_FILE',
  'AWS_CA_BUNDLE',
  'AWS_ROLE_ARN',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_EC2_METADATA_DISABLED',
  'NODE_EXTRA_CA_CERTS',
]);
/** Ours and the bucket's: missing they may change what a push does. */
const MATTERS = /^(AWS|STATEFERRY)_|^(HTTPS?|ALL|NO)_PROXY$/i;
/** A password in an address, or what no unit file can say on one line. */
const UNFIT = /:\/\/[^/]*@|[\u0000-\u001f\u007f]/;

export type TimerEnvironment = {
  readonly carried: Readonly<Record<string, string>>;
  /** Names only. */
  readonly leftBehind: readonly string[];
};

export function timerEnvironment(environment: Environment): TimerEnvironment {
  // Root's own variables say nothing about the user that it works for.
  const { actsForOther } = environment;
  const isFit = ([name, value]: [string, string]): boolean =>
    CARRIED.has(name) &&
    value !== '' &&
    !UNFIT.test(value) &&
    (!actsForOther || name === 'PATH' || name === 'STATEFERRY_HOME');
  const all = Object.entries(callersOwn(environment.variables));
  const carried = Object.fromEntries(all.filter(isFit));
  return {
    carried,
    leftBehind: all
      .filter(([name, value]) => MATTERS.test(name) && value !== '' && !(name in carried))
      .map(([name]) => name)
      .toSorted(),
  };
}
