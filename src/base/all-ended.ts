/**
 * As Promise.all, for work that was begun at once; but a failure is told only when all of it has ended, so that nothing
 * is asked after the last word. Of several failures it is the first in this order.
 */
export async function allEnded<T extends readonly unknown[]>(work: {
  readonly [K in keyof T]: Promise<T[K]>;
}): Promise<T> {
  const ended = await Promise.allSettled(work);
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  return Promise.all(work);
}
