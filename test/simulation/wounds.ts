/** What in the bucket is not as it was sent: since when; and of what was mended or taken away since, until when. */
import { DAY_MS, type World } from './world.ts';

/** How long a listing may show an older state. */
export const LISTING_LAG_MAX_MS = DAY_MS;

export type Wound = {
  readonly sinceMs: number;
  /**
   * Spoilt: it never arrived whole. Swept: it was deleted by a prune. Else it lay there whole, and the store lost it or
   * let a bit of it rot.
   */
  readonly kind: 'spoilt' | 'swept' | 'rotten' | 'lost';
};

export class Wounds {
  readonly #world: World;
  readonly #wounds = new Map<string, Wound>();
  readonly #mendedMs = new Map<string, number>();
  /** Another one after every change. */
  revision = 0;

  constructor(world: World) {
    this.#world = world;
  }

  of(name: string): Wound | undefined {
    return this.#wounds.get(name);
  }

  inflict(name: string, kind: Wound['kind']): void {
    this.revision += 1;
    this.#wounds.set(name, { sinceMs: this.#world.nowMs, kind });
  }

  mend(name: string): void {
    if (!this.#wounds.delete(name)) return;
    this.revision += 1;
    this.#mendedMs.set(name, this.#world.nowMs);
  }

  /** Whether it was, at any time since then, as far as a listing may have shown it to somebody. */
  wasWounded(name: string, sinceMs: number): boolean {
    const mendedMs = this.#mendedMs.get(name) ?? -Infinity;
    return this.#wounds.has(name) || mendedMs + LISTING_LAG_MAX_MS >= sinceMs;
  }
}
