/** What opens a repository, and what says whose word counts: looked at, whether or not it is needed today. */
import { allEnded } from '../../base/all-ended.ts';
import { readKeySlots } from '../../repository/key-slots.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { readRevocations } from '../../repository/revocations.ts';
import { readWriterRecords } from '../../repository/writers.ts';
import type { Faults } from './faults.ts';

export async function noteOpening(
  { store, id, identity }: ReaderRepository,
  faults: Faults,
  signal: AbortSignal,
): Promise<void> {
  for (const found of await readKeySlots(store, id, signal)) {
    if (!('damage' in found)) continue;
    const { code, message } = found.damage;
    faults.add(found.name, code, `${message}; ${NO_KEY}`);
  }
  const [writers, revocations] = await allEnded([
    readWriterRecords(store, id, identity, signal),
    readRevocations(store, id, identity.root.publicKey, signal),
  ]);
  for (const { object, error } of [...writers.problems, ...revocations.problems]) {
    faults.add(object, error.code, error.message);
  }
}

const NO_KEY =
  'the secret that it is for opens nothing: keys add makes another, keys remove takes it away';
