/** What a command cost. */
import type { ObjectStore } from '../store/object-store.ts';
import type { Cost } from './output/summary-parts.ts';
import type { Session } from './session.ts';

/** Call it first; call what it returns at the end. */
export function startCost(session: Session): (stores: readonly ObjectStore[]) => Cost {
  const startedMs = session.clock.nowMs();
  return (stores) => {
    const requests = { put: 0, get: 0, head: 0, list: 0, delete: 0 };
    for (const store of new Set(stores)) {
      const counts = store.counts();
      requests.put += counts.put;
      requests.get += counts.get;
      requests.head += counts.head;
      requests.list += counts.list;
      requests.delete += counts.delete;
    }
    return {
      requests,
      durationMs: Math.round(session.clock.nowMs() - startedMs),
      rssMaxBytes: process.resourceUsage().maxRSS * 1024,
    };
  };
}
