/**
 * A pack's directory of which only some chunks are vouched for, as an index holds it of a pack that its writer did not
 * make: the others have 32 zero bytes for an id. Every place in the pack stays what it was.
 */
import { FerryError } from '../base/errors.ts';
import { CHUNK_ID_BYTES } from '../crypto/sizes.ts';
import { SEALED_HEADER_BYTES } from './header.ts';
import { visitDirectory } from './pack.ts';

const NOT_VOUCHED = Buffer.alloc(CHUNK_ID_BYTES);

/** Whether a directory says what this chunk is, and not only where it ends. */
export const isVouched = (id: Buffer): boolean => !id.equals(NOT_VOUCHED);

/**
 * @param vouched one number for each chunk of the directory, in order; 0: it is not vouched for
 * @throws object-damaged
 */
export function vouchedDirectory(
  directory: Uint8Array,
  vouched: Uint8Array,
  what: string,
): Uint8Array {
  const kept = Buffer.from(directory);
  for (const [chunk, id] of idsIn(kept, what).entries()) if (vouched[chunk] !== 1) id.fill(0);
  return kept;
}

/** What either of two directories of one pack says; undefined where they contradict each other, or one is damaged. */
export function bothVouched(one: Uint8Array, other: Uint8Array): Uint8Array | undefined {
  const [merged, more] = [Buffer.from(one), Buffer.from(other)];
  if (merged.equals(more)) return one;
  const [ids, others] = [idsIfWhole(merged), idsIfWhole(more)];
  if (ids?.length !== others?.length || !ids || !others) return undefined;
  for (const [chunk, id] of ids.entries()) {
    const twin = others[chunk];
    if (!twin) return undefined;
    if (!isVouched(id)) id.set(twin);
    else if (!isVouched(twin)) twin.set(id);
  }
  return merged.equals(more) ? merged : undefined;
}

function idsIfWhole(directory: Buffer): Buffer[] | undefined {
  try {
    return idsIn(directory, 'a directory');
  } catch (error) {
    if (error instanceof FerryError && error.code === 'object-damaged') return undefined;
    throw error;
  }
}

/** The ids as they lie in the directory: changing them changes it. */
function idsIn(directory: Buffer, what: string): Buffer[] {
  const ids: Buffer[] = [];
  visitDirectory(directory, SEALED_HEADER_BYTES, what, { chunk: (id) => void ids.push(id) });
  return ids;
}
