/** Where the recovery kit goes: a file that is made before anything is stored, or the terminal. */
import { FerryError } from '../../base/errors.ts';
import { createSecretFile } from '../../settings/secret-files.ts';
import type { Session } from '../session.ts';

/** @throws usage when there is neither */
export function kitTarget(
  session: Session,
  file: string | undefined,
  { option, need } = { option: '--kit', need: 'init needs --kit FILE here' },
): { write(text: string): void } {
  if (file !== undefined) {
    const created = createSecretFile(file, option, session.environment);
    session.atEnd(() => created.discard());
    return created;
  }
  const { terminal, sinks, options } = session;
  if (terminal.isThere && sinks.stdout.isTerminal && options.json !== true) {
    return { write: (text) => sinks.stdout.write(`\n${text}\n`) };
  }
  throw new FerryError('usage', `${need}: there is no terminal to show the recovery kit on`, {
    hint: 'Name a new file for it, and keep that file somewhere else afterwards.',
  });
}
