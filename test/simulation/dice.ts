/** Every chance of a simulated world, from its seed: the same seed throws the same dice. */
import { seeded, type Seeded } from '../support/seeded.ts';

export type Dice = Omit<Seeded, 'fork'> & {
  /** True with this probability. */
  chance(probability: number): boolean;
  /** A real number, 0 ≤ x < 1. */
  fraction(): number;
  /** Dice of their own for a part of the world, so that parts do not depend on each other's order. */
  fork(label: string): Dice;
};

export function diceOf(seed: string): Dice {
  const random = seeded(seed);
  const fraction = (): number => random.integer(0, 0xffff_fffe) / 0xffff_ffff;
  const chance = (probability: number): boolean => probability > 0 && fraction() < probability;
  return { ...random, fraction, chance, fork: (label) => diceOf(`${seed}/${label}`) };
}
