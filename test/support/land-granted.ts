/** The engine's side of a ticket: what it offers, and landing it on another machine with what is adopted of it. */
import assert from 'node:assert/strict';
import { bytePathFromText } from '../../src/base/byte-path.ts';
import { systemClock } from '../../src/base/clock.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import type { Grant } from '../../src/format/grant.ts';
import { parseTicket } from '../../src/format/ticket.ts';
import { storeOffer } from '../../src/handoff/offer.ts';
import { runProcess } from '../../src/process/run.ts';
import { restoreTrees } from '../../src/pull/restore/restore.ts';
import { rememberVerified } from '../../src/repository/adoption.ts';
import { LocalCache } from '../../src/repository/cache.ts';
import { grantedSource, openGrantedSnapshot } from '../../src/repository/granted.ts';
import { withLanded, writerOf } from '../../src/repository/machine.ts';
import { NO_ABORT, openReader, type Engine, type Machine } from './engine.ts';

/** The secret of a ticket for what this machine pushed last. */
export async function offerLast(engine: Engine, { state }: Machine): Promise<Uint8Array> {
  const reader = await openReader(engine.store);
  const writer = writerOf(state);
  const snapshot = state.highWater[writer.id];
  assert.ok(snapshot);
  const request = { snapshot, lifeMs: 3_600_000, createOnly: 'atomic', folder: '/usb' } as const;
  const offer = await storeOffer(request, { reader, writer, random: systemRandom }, NO_ABORT);
  return parseTicket(offer.ticket).secret;
}

export async function landGranted(
  { store }: Engine,
  machine: Machine,
  grant: Grant,
  stage: string,
): Promise<void> {
  const emit = (): void => undefined;
  const source = grantedSource(store, grant);
  const snapshot = await openGrantedSnapshot(source, grant, emit, NO_ABORT);
  const [root] = snapshot.body.roots;
  assert.ok(root);
  const cache = LocalCache.open(machine.cache, machine.state.repository, emit);
  await restoreTrees(
    {
      snapshot,
      targets: [{ root, stage: bytePathFromText(stage) }],
      ownerOf: () => undefined,
      setIdAllowed: false,
    },
    {
      repository: source,
      clock: systemClock,
      emit,
      tools: { run: runProcess, signal: NO_ABORT },
      onVerified: rememberVerified(cache),
    },
    NO_ABORT,
  );
  cache.close();
  const { install } = snapshot.body.install;
  const { chunkIdKey } = snapshot;
  machine.state = withLanded(machine.state, { install, source: install, chunkIdKey });
}
