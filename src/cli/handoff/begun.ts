/** What a handoff has begun on the old machine, as its settings keep it. */
import { FerryError } from '../../base/errors.ts';
import type { Install } from '../../gateway/install/install.ts';
import { timeText } from '../../repository/objects.ts';
import type { HandoffSettings } from '../../settings/schema.ts';
import type { Session } from '../session.ts';
import { dropHandoff, keepHandoff, keptHandoffs } from './kept.ts';

/** Each step is kept before it is taken, so that `--cancel` can take it back after a kill. */
export class Begun {
  readonly #session: Session;
  readonly #location: string;
  readonly #before: HandoffSettings | undefined;
  #handoff: HandoffSettings;

  constructor(session: Session, location: string, { install }: Install) {
    this.#session = session;
    this.#location = location;
    // One that was killed may have stopped the gateway and disabled its service already.
    const before = keptHandoffs(session).find(({ handoff }) => handoff.install === install);
    if (before?.handoff.offer) throw alreadyOpen(install);
    this.#before = before?.handoff;
    this.#handoff = before?.handoff ?? { install, time: timeText(session.clock.nowMs()) };
  }

  get fence(): HandoffSettings['fence'] {
    return this.#handoff.fence;
  }

  get stopped(): HandoffSettings['stopped'] {
    return this.#handoff.stopped;
  }

  get isServiceFenced(): boolean {
    return this.#handoff.fence?.service !== undefined;
  }

  keep(more: Partial<HandoffSettings>): void {
    this.#handoff = { ...this.#handoff, ...more };
    keepHandoff(this.#session, this.#location, this.#handoff);
  }

  /** Everything that was begun has been taken back. */
  drop(): void {
    dropHandoff(this.#session, this.#location, this.#handoff.install);
  }

  /** Nothing was taken back: what an earlier run began stays known. */
  forget(): void {
    if (this.#before) keepHandoff(this.#session, this.#location, this.#before);
    else this.drop();
  }
}

function alreadyOpen(install: string): FerryError {
  return new FerryError('usage', `${install} is handed off already`, {
    hint: `stateferry status shows how it stands; stateferry handoff ${install} --cancel takes it back.`,
  });
}
