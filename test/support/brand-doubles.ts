/** The brands of the family as doubles of the generation that each is of. */
import type { Product } from './products.ts';
import { rebranded, type Rebrand } from './rebrand.ts';

export type DoubleName = 'atomicbot' | 'resonix' | 'aipro' | 'acmeclaw';

export function brandDouble(original: Product, name: DoubleName): Product {
  return rebranded(original, { name, words: WORDS[name] });
}

const named = (
  from: readonly [string, string, string],
  to: readonly [string, string, string],
): Rebrand['words'] => from.map((word, index) => [word, to[index] ?? word] as const);

const OPENCLAW = ['openclaw', 'OpenClaw', 'OPENCLAW'] as const;
const CLAWDBOT = ['clawdbot', 'Clawdbot', 'CLAWDBOT'] as const;

const WORDS: Readonly<Record<DoubleName, Rebrand['words']>> = {
  atomicbot: named(OPENCLAW, ['atomicbot', 'AtomicBot', 'ATOMICBOT']),
  // Its own port; the folders of its ancestors stay, their variables have a name of its own.
  resonix: [
    ...named(OPENCLAW, ['resonix', 'Resonix', 'RESONIX']),
    ['CLAWDBOT_', 'RESONIXDBOT_'],
    ['18789', '19000'],
  ],
  // The workspace `~/clawd` is no name of the brand: it stays.
  aipro: named(CLAWDBOT, ['aipro', 'AIPro', 'AIPRO']),
  // A fork nobody has heard of: port, variables and service follow no pattern.
  acmeclaw: [
    ['openclaw-gateway', 'assistant-of-acme'],
    ...named(OPENCLAW, ['acmeclaw', 'AcmeClaw', 'ACME']),
    ['18789', '24680'],
  ],
};
