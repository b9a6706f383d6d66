/** Names with a time in them have it in seconds, and two pulls may come in one. */
import { asBytePath, type BytePath } from '../../base/byte-path.ts';
import { isThere } from '../../fs/swap-steps.ts';

/** `name` and `suffix`, with a number in between where that is there already or `taken`. */
export function freePlace(
  name: BytePath,
  suffix = '',
  taken: ReadonlySet<BytePath> = new Set(),
): BytePath {
  let place = asBytePath(name + suffix);
  for (let number = 2; taken.has(place) || isThere(place); number++) {
    place = asBytePath(`${name}-${number}${suffix}`);
  }
  return place;
}
