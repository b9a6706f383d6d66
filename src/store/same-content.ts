import type { ObjectStore } from './object-store.ts';

const PIECE_BYTES = 1024 * 1024;

export type Found = {
  readonly what: 'same' | 'other' | 'absent';
  readonly dateMs: number | undefined;
};

/**
 * What lies under a name, compared with the bytes that were sent there: the judge of every answer that was lost or
 * unclear. Reads in small pieces, because up to four bodies of a pack's size are in flight already.
 */
export async function compareStored(
  store: Pick<ObjectStore, 'stat' | 'getInto'>,
  name: string,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<Found> {
  const stat = await store.stat(name, signal);
  if (stat === undefined) return { what: 'absent', dateMs: undefined };
  const { dateMs } = stat;
  if (stat.size !== body.length) return { what: 'other', dateMs };
  const piece = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, body.length));
  for (let offset = 0; offset < body.length; offset += PIECE_BYTES) {
    const length = Math.min(PIECE_BYTES, body.length - offset);
    const target = piece.subarray(0, length);
    const answer = await store.getInto(name, { offset, length }, target, signal);
    if (answer === undefined) return { what: 'absent', dateMs };
    if (answer.length !== length || !target.equals(body.subarray(offset, offset + length))) {
      return { what: 'other', dateMs };
    }
  }
  return { what: 'same', dateMs };
}
