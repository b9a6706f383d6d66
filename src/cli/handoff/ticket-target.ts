import { FerryError } from '../../base/errors.ts';
import { createSecretFile } from '../../settings/secret-files.ts';
import type { Session } from '../session.ts';

/** The ticket is the whole answer on stdout; JSON, which gets logged, never holds it. */
export function ticketTarget(session: Session, file: string | undefined): (ticket: string) => void {
  const { sinks, options, environment } = session;
  if (file !== undefined) {
    const created = createSecretFile(file, '--ticket-file', environment);
    session.atEnd(() => created.discard());
    return (ticket) => created.write(`${ticket}\n`);
  }
  if (options.json !== true) return (ticket) => sinks.stdout.write(`${ticket}\n`);
  throw new FerryError('usage', 'with --json the ticket needs a file to go to', {
    hint: 'Name a new one: --ticket-file FILE',
  });
}
