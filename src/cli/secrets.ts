/** Where a secret comes from: an option, the environment, or a person at a terminal. */
import { FerryError } from '../base/errors.ts';
import type { Emit } from '../base/events.ts';
import { looksLikeRecoveryCode, parseRecoveryCode } from '../crypto/recovery-code.ts';
import { runProcess } from '../process/run.ts';
import type { Secret } from '../repository/key-slots.ts';
import { variablesForOthers, type Environment } from '../settings/environment.ts';
import { readSecretFile } from '../settings/secret-files.ts';
import type { GlobalOptions } from './global-options.ts';
import { parseReaderKey } from './members/reader-key.ts';
import type { Terminal } from './terminal.ts';

export type SecretDeps = {
  readonly options: GlobalOptions;
  readonly environment: Environment;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
};

/** What opens the repository; undefined when nothing was given and nobody is to be asked. */
export async function givenSecret(deps: SecretDeps): Promise<Secret | undefined> {
  refuseSeveral(deps.options);
  const { options, environment } = deps;
  const { own } = environment;
  const file = (path: string, option: string): string => readSecretFile(path, option, environment);
  const passphrase = await givenPassphrase(deps);
  if (passphrase !== undefined) return { with: 'passphrase', passphrase };
  if (options.recoveryFile !== undefined) {
    return recovery(file(options.recoveryFile, '--recovery-file'));
  }
  if (options.readerKey !== undefined) return readerKey(file(options.readerKey, '--reader-key'));
  if (own.recoveryCode !== undefined) return recovery(own.recoveryCode);
  if (own.readerKeyFile !== undefined) {
    return readerKey(file(own.readerKeyFile, 'STATEFERRY_READER_KEY_FILE'));
  }
  return undefined;
}

/**
 * Asks at the terminal, and once more for what was mistyped.
 * @throws secret-needed without a terminal
 */
export async function openAsked<T>(
  deps: SecretDeps,
  location: string,
  open: (secret: Secret) => Promise<T>,
  emit: Emit,
): Promise<T> {
  for (let left = ASKS_MAX - 1; ; left -= 1) {
    try {
      return await open(await askSecret(deps, location));
    } catch (error) {
      if (left === 0 || !(error instanceof FerryError) || error.code !== 'nothing-opens') {
        throw error;
      }
      emit({ type: 'notice', code: 'secret-mistyped', message: error.message });
    }
  }
}

async function askSecret({ terminal, signal }: SecretDeps, location: string): Promise<Secret> {
  if (!terminal.isThere) throw needed();
  const typed = await terminal.askHidden(`Passphrase (or recovery code) of ${location}: `, signal);
  if (typed === '') throw new FerryError('nothing-opens', 'nothing was typed');
  return looksLikeRecoveryCode(typed) ? recovery(typed) : { with: 'passphrase', passphrase: typed };
}

const ASKS_MAX = 3;

/**
 * For `init`: twice on a terminal, where nobody is bothered before the place is known to be good.
 * @throws secret-needed at once when there is none and nobody to ask
 */
export async function newPassphrase(deps: SecretDeps): Promise<() => Promise<string>> {
  const { options, terminal, signal } = deps;
  if (options.recoveryFile !== undefined || options.readerKey !== undefined) {
    throw new FerryError('usage', 'init makes a new recovery code and takes only a passphrase', {
      hint: 'Give --passphrase-file FILE, or type one.',
    });
  }
  refuseSeveral(options);
  const given = await givenPassphrase(deps);
  if (given !== undefined) return () => Promise.resolve(given);
  if (!terminal.isThere) throw needed();
  return () => chosenPassphrase(terminal, signal);
}

/** For `keys add passphrase`: what opens the repository has been given already, this is a second one. */
export async function secondPassphrase(
  { environment, terminal, signal }: SecretDeps,
  file: string | undefined,
): Promise<string> {
  const option = '--new-passphrase-file';
  if (file !== undefined) return firstLine(readSecretFile(file, option, environment), option);
  if (terminal.isThere) return chosenPassphrase(terminal, signal);
  throw new FerryError('secret-needed', 'nobody can be asked for the new passphrase here', {
    hint: 'Give --new-passphrase-file FILE, or run it on a terminal.',
  });
}

async function chosenPassphrase(terminal: Terminal, signal: AbortSignal): Promise<string> {
  let before = '';
  for (let asked = 0; asked < ASKS_MAX; asked++) {
    const first = await terminal.askHidden(`${before}Choose a passphrase: `, signal);
    if (first === '') {
      before = 'It cannot be empty. ';
      continue;
    }
    const again = await terminal.askHidden('The same again: ', signal);
    if (first === again) return first;
    before = 'The two were not the same. ';
  }
  throw new FerryError('secret-needed', 'the two passphrases were not the same', {
    hint: 'Run it again; or keep the passphrase in a file: --passphrase-file FILE',
  });
}

async function givenPassphrase(deps: SecretDeps): Promise<string | undefined> {
  const { options, environment } = deps;
  const { own } = environment;
  if (options.passphraseFile !== undefined) {
    return firstLine(
      readSecretFile(options.passphraseFile, '--passphrase-file', environment),
      '--passphrase-file',
    );
  }
  if (options.passphraseCommand !== undefined) return fromCommand(options.passphraseCommand, deps);
  // Options win over the environment, of whatever kind they are.
  if (options.recoveryFile !== undefined || options.readerKey !== undefined) return undefined;
  if (own.passphraseFile !== undefined) {
    const name = 'STATEFERRY_PASSPHRASE_FILE';
    return firstLine(readSecretFile(own.passphraseFile, name, environment), name);
  }
  return own.passphrase;
}

const COMMAND_TIMEOUT_MS = 5 * 60_000;

/** Through the shell, as people write such commands. Its own talk stays its own; ours never repeats its answer. */
async function fromCommand(command: string, deps: SecretDeps): Promise<string> {
  const result = await runProcess('/bin/sh', ['-c', command], {
    env: variablesForOthers(deps.environment),
    timeoutMs: COMMAND_TIMEOUT_MS,
    signal: deps.signal,
  });
  if (result.exit === 0) return firstLine(result.stdout, '--passphrase-command');
  const end = result.timedOut ? 'took too long' : `ended with ${result.exit ?? result.signal}`;
  throw new FerryError('secret-needed', `--passphrase-command ${end}`, {
    hint: 'Run the command by itself; it must print the passphrase and nothing else.',
  });
}

/** Without its line end, which editors and `echo` add. */
function firstLine(text: string, source: string): string {
  const line = text.replace(/\r?\n$/, '');
  if (line === '' || /[\r\n]/.test(line)) {
    const what = line === '' ? 'is empty' : 'has more than one line';
    throw new FerryError('secret-needed', `${source}: the passphrase ${what}`, {
      hint: 'A passphrase is one line; a recovery kit goes with --recovery-file.',
    });
  }
  return line;
}

const recovery = (text: string): Secret => ({
  with: 'recovery code',
  code: parseRecoveryCode(text),
});
const readerKey = (text: string): Secret => ({ with: 'reader key', key: parseReaderKey(text) });

function refuseSeveral(options: GlobalOptions): void {
  const given = [
    options.passphraseFile === undefined ? undefined : '--passphrase-file',
    options.passphraseCommand === undefined ? undefined : '--passphrase-command',
    options.recoveryFile === undefined ? undefined : '--recovery-file',
    options.readerKey === undefined ? undefined : '--reader-key',
  ].filter((one) => one !== undefined);
  if (given.length < 2) return;
  throw new FerryError('usage', `${given.join(' and ')} exclude each other`, {
    hint: 'Give one of them.',
  });
}

function needed(): FerryError {
  return new FerryError(
    'secret-needed',
    'this needs the passphrase or the recovery code, and nobody can be asked for it here',
    {
      hint: 'Give --passphrase-file FILE or --recovery-file FILE, or set STATEFERRY_PASSPHRASE_FILE.',
    },
  );
}
