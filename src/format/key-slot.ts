/** A key slot `keys/<id>`: the identity seed in a box under a key that a person can produce. */
import { z } from 'zod';
import { fromBase64, toBase64, utf8 } from '../base/bytes.ts';
import { checkVersion } from './header.ts';
import { parseJson } from './json.ts';

export const KEY_SLOT_BYTES_MAX = 16 * 1024;

const base64 = z
  .string()
  .regex(/^[A-Za-z0-9+/]+={0,2}$/)
  .max(1024);

const schema = z.object({
  format: z.int().positive(),
  repository: z.string().regex(/^[0-9a-f]{32}$/),
  slot: z.string().regex(/^[0-9a-f]{32}$/),
  opens: z.discriminatedUnion('with', [
    z.object({
      with: z.literal('passphrase'),
      salt: z.string().regex(/^[A-Za-z0-9+/]{22}==$/),
      memoryKiB: z.int().nonnegative(),
      passes: z.int().nonnegative(),
      lanes: z.int().nonnegative(),
    }),
    z.object({ with: z.literal('recovery code') }),
    z.object({ with: z.literal('reader key') }),
  ]),
  box: base64,
});

export type KeySlot = Omit<z.infer<typeof schema>, 'format' | 'box'> & { readonly box: Uint8Array };

export const encodeKeySlot = (slot: KeySlot): Uint8Array =>
  utf8(`${JSON.stringify({ format: 1, ...slot, box: toBase64(slot.box) })}\n`);

export function decodeKeySlot(bytes: Uint8Array, name: string): KeySlot {
  const { format, box, ...slot } = parseJson(schema, bytes, name);
  checkVersion(format, name);
  return { ...slot, box: fromBase64(box) };
}

/**
 * What the box is bound to: everything else in the slot, in a fixed order, so that no field can be exchanged.
 */
export function keySlotAssociated(slot: Omit<KeySlot, 'box'>): Uint8Array {
  const opens = slot.opens;
  const cost =
    opens.with === 'passphrase'
      ? [opens.salt, opens.memoryKiB, opens.passes, opens.lanes].join(' ')
      : '';
  return utf8(['key slot', slot.repository, slot.slot, opens.with, cost].join('\n'));
}
