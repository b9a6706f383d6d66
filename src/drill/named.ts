/** More are of no use to anybody. */
const NAMED_MAX = 20;

/** Names in a sentence. */
export function named(all: readonly string[]): string {
  const sorted = all.toSorted();
  const more = sorted.length - NAMED_MAX;
  return [...sorted.slice(0, NAMED_MAX), ...(more > 0 ? [`${more} more`] : [])].join(', ');
}
