/** A push is done again for as long as packs that it relied on turn out to be gone: their chunks are stored anew. */
import type { ListedPack } from '../format/pack-list.ts';
import { packName } from '../repository/pack-reader.ts';
import {
  finishPending,
  keepsLosing,
  TRIES_MAX,
  type CommitDeps,
  type Committed,
  type CommitRequest,
} from './commit.ts';

export type Round = Pick<CommitRequest, 'packs' | 'known'> & { readonly committed: Committed };
type LastRound = { readonly committed: { readonly outcome: 'done' } };

/**
 * The round that was committed. A store that keeps losing what this very push has put there is given up on; whatever
 * else is gone was stored earlier, so there is only so much of it, however often a prune announces more of it to a
 * machine that sleeps in the middle of its push.
 * @param once packs, then indexes, then the commit. `gone`: packs (writer and id) that count as not stored
 */
export async function pushInRounds<T extends Round>(
  deps: CommitDeps,
  once: (gone: ReadonlySet<string>) => Promise<T>,
  signal: AbortSignal,
): Promise<T & LastRound> {
  const { repository, emit } = deps;
  const gone = new Set<string>();
  const forget = (packs: readonly ListedPack[]): void => {
    for (const { writer, pack } of packs) {
      gone.add(writer + pack);
      repository.cache.dropPack(writer, pack);
    }
  };
  forget(await finishPending(deps, signal));
  const stored = new Set<string>();
  let tries = 0;
  while (tries < TRIES_MAX) {
    const round = await once(gone);
    const { committed, packs, known } = round;
    forget(committed.gone);
    if (isLast(round)) return round;
    const knownBefore = new Set(known.map(packName));
    for (const name of packs.map(packName)) if (!knownBefore.has(name)) stored.add(name);
    if (committed.gone.some((pack) => stored.has(packName(pack)))) tries += 1;
    emit({
      type: 'notice',
      code: 'packs-missing',
      message:
        'packs that this push relied on are missing or damaged in the store; pushing their content again',
    });
  }
  throw keepsLosing(repository.store.location, 'packs');
}

function isLast<T extends Round>(round: T): round is T & LastRound {
  return round.committed.outcome === 'done';
}
