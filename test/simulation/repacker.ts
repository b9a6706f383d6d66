/** Somebody with the keys who repacks: the real one. Whoever keeps the ledger opens every new pack on its way. */
import { parseWriterObjectName } from '../../src/format/names.ts';
import { repack, type RepackRequest } from '../../src/maintenance/repack/repack.ts';
import type { ReaderRepository } from '../../src/repository/open.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { chunksIn } from './content.ts';
import type { Dice } from './dice.ts';
import type { Ledger } from './ledger.ts';
import { wholePackOf } from './whole-pack.ts';

const NO_ABORT = new AbortController().signal;

export async function repackSome(
  repository: ReaderRepository,
  { ledger, dice, request }: { ledger: Ledger; dice: Dice; request: RepackRequest },
): Promise<void> {
  const { store } = repository;
  const watched: ObjectStore = {
    ...store,
    async put(name, body, options, signal) {
      const parsed = parseWriterObjectName(name);
      if (parsed?.folder === 'packs') {
        const { writer, id: pack } = parsed;
        const listed = { writer, pack, size: body.length };
        ledger.sealed(name, chunksIn(await wholePackOf(repository, listed, Buffer.from(body))));
      }
      return await store.put(name, body, options, signal);
    },
  };
  const random = (length: number): Uint8Array => dice.noise(length);
  const emit = (): void => undefined;
  const deps = { repository: { ...repository, store: watched }, random, emit };
  await repack(request, deps, NO_ABORT);
}
