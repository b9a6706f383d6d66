/** A store that keeps what it was given, and not for ever: now and then a bit rots, or an object is gone. */
import type { Bucket } from './bucket.ts';
import type { Dice } from './dice.ts';
import type { Wounds } from './wounds.ts';
import { DAY_MS, type World } from './world.ts';

export type Decaying = {
  readonly world: World;
  readonly bucket: Bucket;
  readonly wounds: Wounds;
  readonly dice: Dice;
  /** Of a day. */
  readonly chance: number;
};

/** Every day something may happen to one pack, or to a pack list. */
export function decay(decaying: Decaying): void {
  const { world, dice, chance } = decaying;
  world.at(world.nowMs + DAY_MS, () => {
    if (dice.chance(chance)) hurt(decaying);
    decay(decaying);
  });
}

function hurt({ world, bucket, wounds, dice }: Decaying): void {
  const all = bucket.all(dice.chance(0.8) ? 'packs/' : 'lists/');
  const whole = all.filter(({ name }) => !wounds.of(name));
  if (whole.length === 0) return;
  const { name, bytes } = dice.pick(whole);
  const isLost = dice.chance(0.4);
  if (isLost) bucket.delete(name);
  else bucket.rot(name, dice.integer(0, bytes.length - 1));
  wounds.inflict(name, isLost ? 'lost' : 'rotten');
  world.count(isLost ? 'objects lost by the store' : 'objects that rotted');
}
