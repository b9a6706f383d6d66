import { FerryError, messageOf } from '../../base/errors.ts';
import { createSecretFile } from '../../settings/secret-files.ts';
import type { Session } from '../session.ts';

/** The ticket is the whole answer on stdout; JSON, which gets logged, never holds it. */
export function ticketTarget(session: Session, file: string | undefined): (ticket: string) => void {
  const { sinks, options, environment } = session;
  if (file !== undefined) {
    const created = createSecretFile(file, '--ticket-file', environment);
    session.atEnd(() => created.discard());
    return (ticket) => {
      try {
        created.write(`${ticket}\n`);
      } catch (error) {
        if (options.json === true) throw lost(error);
        session.emit({ type: 'notice', code: 'ticket-shown', message: messageOf(error) });
        sinks.stdout.write(`${ticket}\n`);
      }
    };
  }
  if (options.json !== true) return (ticket) => sinks.stdout.write(`${ticket}\n`);
  throw new FerryError('usage', 'with --json the ticket needs a file to go to', {
    hint: 'Name a new one: --ticket-file FILE',
  });
}

/** The gateway is stopped and fenced by now, and nobody has what would start it elsewhere. */
function lost(error: unknown): FerryError {
  return new FerryError('file-write', `the ticket is lost: ${messageOf(error)}`, {
    hint: 'stateferry handoff --cancel takes everything back; then run it again with another file.',
    cause: error,
  });
}
