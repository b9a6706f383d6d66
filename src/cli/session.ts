/** The composition root: everything a command works with, built from options, environment and settings. */
import { systemClock, type Clock } from '../base/clock.ts';
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { cryptoReady, systemRandom, type Random } from '../crypto/sodium.ts';
import type { Secret } from '../repository/key-slots.ts';
import {
  overrideLocation,
  parseLocation,
  printLocation,
  type Location,
} from '../store/location.ts';
import { readEnvironment, type Environment } from '../settings/environment.ts';
import { handOver, placesOf, refuseLedElsewhere, type Places } from '../settings/places.ts';
import { Settings } from '../settings/settings.ts';
import type { GlobalOptions } from './global-options.ts';
import type { Output, Sinks } from './output/output.ts';
import { givenSecret, openAsked, newPassphrase, secondPassphrase } from './secrets.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { toolVersion } from './version.ts';

export type Session = {
  readonly options: GlobalOptions;
  readonly environment: Environment;
  readonly places: Places;
  readonly settings: Settings;
  readonly output: Output;
  readonly sinks: Sinks;
  readonly terminal: Terminal;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: Random;
  /** `stateferry 1.2.3`. */
  readonly tool: string;
  /** Closed in reverse order when the command has ended, however it ended. */
  atEnd(close: () => Promise<void> | void): void;
  close(): Promise<void>;
};

export type SessionParts = {
  readonly output: Output;
  readonly sinks: Sinks;
  readonly interrupt: AbortController;
};

export async function openSession(options: GlobalOptions, parts: SessionParts): Promise<Session> {
  await cryptoReady();
  const output = parts.output;
  const signal = parts.interrupt.signal;
  return sessionIn(readEnvironment(options.home), options, { output, sinks: parts.sinks, signal });
}

/** A session in a given environment: this process's own, or one that is made up (`demo`). */
export function sessionIn(
  environment: Environment,
  options: GlobalOptions,
  parts: Pick<Session, 'output' | 'sinks' | 'signal'>,
): Session {
  const places = placesOf(environment);
  refuseLedElsewhere(environment, places);
  let settings: Settings | undefined;
  const closers: (() => Promise<void> | void)[] = [() => settings?.unlock()];
  if (environment.actsForOther) {
    for (const folder of [places.settingsFolder, places.cacheFolder]) {
      closers.push(() => handOver(folder, environment.owner));
    }
  }
  return {
    options,
    environment,
    places,
    // Read when first asked for: a verb that works in a sandbox has nothing to do with the user's own.
    get settings() {
      return (settings ??= Settings.load(environment, places));
    },
    ...parts,
    terminal: processTerminal,
    emit: parts.output.emit,
    clock: systemClock,
    random: systemRandom,
    tool: `stateferry ${toolVersion()}`,
    atEnd: (close) => closers.push(close),
    close: () => closeAll(closers),
  };
}

/** One command within another: options and things to close of its own, the same settings with their lock. */
export function sessionWithin(outer: Session, options: GlobalOptions): Session {
  const closers: (() => Promise<void> | void)[] = [];
  return {
    ...outer,
    settings: outer.settings,
    options,
    atEnd: (close) => closers.push(close),
    close: () => closeAll(closers),
  };
}

async function closeAll(closers: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const close of closers.toReversed()) await close();
}

/** A LOCATION that was typed as an argument, with the options for buckets laid over it. */
export function locationFrom(session: Session, typed: string): Location {
  const { endpoint, region, addressing, awsProfile } = session.options;
  const location = parseLocation(typed, session.environment.workingFolder);
  return overrideLocation(location, { endpoint, region, addressing, profile: awsProfile });
}

/**
 * The repositories that are meant: `-r`, else STATEFERRY_REPOSITORY, else the default of the settings.
 * @throws repository-missing when there is none
 */
export function meantLocations(session: Session): Location[] {
  const { options, environment, settings } = session;
  const typed =
    options.repository ??
    [environment.own.repository ?? settings.data.defaultRepository ?? []].flat();
  if (typed.length === 0) {
    throw new FerryError(
      'repository-missing',
      'no repository is set up on this machine, and none is named',
      {
        hint: 'Create one (stateferry init LOCATION), use one (stateferry join LOCATION), or name it with -r.',
      },
    );
  }
  return typed.map((one) => knownLocation(session, one));
}

/** @throws usage when several are named */
export function meantLocation(session: Session): Location {
  const [location, ...more] = meantLocations(session);
  if (location && more.length === 0) return location;
  throw new FerryError('usage', 'this works on one repository, and several are named', {
    hint: 'Only push and schedule install take -r more than once.',
  });
}

/** A bucket named without its options is the one that the settings know with them. */
export function knownLocation(session: Session, typed: string): Location {
  const { settings } = session;
  const location = locationFrom(session, typed);
  if (location.kind !== 's3' || settings.repository(printLocation(location))) return location;
  const { kind, bucket, prefix, ...more } = location;
  if (Object.keys(more).length > 0) return location;
  const known = settings.data.repositories
    .map((one) => parseLocation(one.location, session.environment.workingFolder))
    .filter((one) => one.kind === kind && one.bucket === bucket && one.prefix === prefix);
  const [only] = known;
  return known.length === 1 && only ? only : location;
}

const secretDeps = (session: Session) => ({
  options: session.options,
  environment: session.environment,
  terminal: session.terminal,
  signal: session.signal,
});

export const secretIfGiven = (session: Session): Promise<Secret | undefined> =>
  givenSecret(secretDeps(session));

/** Asks for one, and once more where what was typed opens nothing. */
export const withAskedSecret = <T>(
  session: Session,
  location: Location,
  open: (secret: Secret) => Promise<T>,
): Promise<T> => openAsked(secretDeps(session), printLocation(location), open, session.emit);

export const passphraseForNew = (session: Session): Promise<() => Promise<string>> =>
  newPassphrase(secretDeps(session));

/** A new passphrase beside the one that opened the repository. */
export const anotherPassphrase = (session: Session, file: string | undefined): Promise<string> =>
  secondPassphrase(secretDeps(session), file);
