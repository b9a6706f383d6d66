/** Lifting the fence of a gateway that lives elsewhere: only for who has read what that does. */
import { FerryError } from '../../base/errors.ts';
import type { Session } from '../session.ts';

const TWO_ALIVE =
  'Two live copies harm each other: WhatsApp logs one of them out for good, ' +
  'Telegram gives each message to one of the two, ' +
  'and an OAuth login that one of them renews is worthless to the other.';

/**
 * Only a typed word lifts the fence of a gateway that lives elsewhere: a yes is too easily given.
 * @throws confirmation-needed without a terminal, ticket-used when the word was not typed
 */
export async function requireTwo(
  { terminal, options, signal, emit }: Pick<Session, 'terminal' | 'options' | 'signal' | 'emit'>,
  install: string,
  machine: string,
): Promise<void> {
  const message = `${machine} has taken over ${install}`;
  emit({ type: 'notice', code: 'taken-over', message: `${message}. ${TWO_ALIVE}` });
  if (!terminal.isThere || options.json === true) {
    throw new FerryError(
      'confirmation-needed',
      `${message}: only a person at a terminal can lift the fence`,
      {
        hint: 'Stop the gateway there for good first; then run this on a terminal. --yes does not stand for it.',
      },
    );
  }
  const answer = await terminal.ask(`Type ${install} to let it live here again: `, signal);
  if (answer.trim() === install) return;
  throw new FerryError('ticket-used', `${message}; nothing was changed here`, {
    hint: 'stateferry status shows how the handoff stands.',
  });
}
