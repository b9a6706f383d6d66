/** handoff --qr: the ticket as a QR code on the terminal, for whoever cannot copy a line. */
import { utf8 } from '../../base/bytes.ts';
import { FerryError } from '../../base/errors.ts';
import { qrCode } from '../../codec/qr-code.ts';
import type { Sink } from '../output/output.ts';
import { qrColumns, qrText } from '../output/handoff/qr-text.ts';
import type { Session } from '../session.ts';

type PictureSession = Pick<Session, 'emit'> & {
  readonly options: Pick<Session['options'], 'json' | 'color'>;
  readonly sinks: { readonly stderr: Pick<Sink, 'isTerminal' | 'columns' | 'write'> };
};

/**
 * Goes to stderr, so that stdout is the line alone.
 * @throws usage before anything happens: a picture in a log or a pipe would be the ticket in it
 */
export function ticketPicture(
  session: PictureSession,
  isWanted: boolean,
): (ticket: string) => void {
  if (!isWanted) return () => undefined;
  const { stderr } = session.sinks;
  if (session.options.json === true || !stderr.isTerminal) {
    throw new FerryError('usage', '--qr shows the ticket on a terminal, and there is none', {
      hint: 'Leave it out: the ticket is one line, on stdout or in --ticket-file FILE.',
    });
  }
  return (ticket) => {
    const code = qrCode(utf8(ticket));
    if (code && qrColumns(code) <= stderr.columns()) {
      return stderr.write(qrText(code, session.options.color));
    }
    session.emit({
      type: 'notice',
      code: 'qr-too-wide',
      message: 'this terminal is too narrow for the ticket as a QR code',
      hint: 'The line of text says the same.',
    });
  };
}
