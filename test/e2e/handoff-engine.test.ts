/** Tickets, grants and claims on any store, without the command line: what a ticket opens, and what is refused. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { bytePathFromText } from '../../src/base/byte-path.ts';
import { systemClock } from '../../src/base/clock.ts';
import { toHex } from '../../src/base/bytes.ts';
import { systemRandom } from '../../src/crypto/sodium.ts';
import { sealClaim } from '../../src/format/claim.ts';
import { sealGrant } from '../../src/format/grant.ts';
import { parseTicket } from '../../src/format/ticket.ts';
import { storeOffer, type Offer } from '../../src/handoff/offer.ts';
import { cancelHandoff, standingOf } from '../../src/handoff/standing.ts';
import {
  claimTicket,
  receiptBytes,
  requireUnclaimed,
  storeReceipt,
} from '../../src/handoff/take-over.ts';
import { runProcess } from '../../src/process/run.ts';
import { restoreTrees } from '../../src/pull/restore/restore.ts';
import { receiptName } from '../../src/repository/claims.ts';
import {
  grantedSource,
  openGrantedSnapshot,
  openTicket,
  type OpenedTicket,
} from '../../src/repository/granted.ts';
import { writerOf } from '../../src/repository/machine.ts';
import { CLAIM_KEPT_MS } from '../../src/repository/tickets-left.ts';
import type { ObjectStore } from '../../src/store/object-store.ts';
import { fixedBytes } from '../vectors/stream.ts';
import { GRANT, KEYS } from '../vectors/handoff.ts';
import {
  engineFolder,
  makeEngine,
  NO_ABORT,
  openReader,
  pushTree,
  refusalOf,
  type Engine,
} from '../support/engine.ts';

const LIFE_MS = 24 * 3_600_000;
const TEXT = 'the ferry leaves at eight\n';

type Offered = { readonly engine: Engine; readonly offer: Offer; readonly secret: Uint8Array };

async function offered(context: TestContext): Promise<Offered> {
  const folder = engineFolder(context);
  const engine = await makeEngine(folder);
  await pushFile(engine, 'openclaw', TEXT);
  const offer = await offerLast(engine);
  return { engine, offer, secret: parseTicket(offer.ticket).secret };
}

async function pushFile(engine: Engine, install: string, text: string): Promise<void> {
  const tree = join(engine.folder, install);
  mkdirSync(tree, { recursive: true });
  writeFileSync(join(tree, 'notes.txt'), text);
  await pushTree(engine.store, engine.machine, tree, { install });
}

async function offerLast({ store, machine }: Engine): Promise<Offer> {
  const reader = await openReader(store);
  const writer = writerOf(machine.state);
  const snapshot = machine.state.highWater[writer.id];
  assert.ok(snapshot);
  const request = {
    snapshot,
    lifeMs: LIFE_MS,
    createOnly: 'atomic',
    folder: '/media/usb',
  } as const;
  return storeOffer(request, { reader, writer, random: systemRandom }, NO_ABORT);
}

const deps = { clock: systemClock, random: systemRandom };
const claimant = (machine: string) => ({ machine, nonce: toHex(systemRandom(16)) });
const openHandoff = ({ place, keys }: Offer) => ({
  ...place,
  claimKey: keys.claim,
  receiptKey: keys.receipt,
});

describe('what a ticket opens', () => {
  test('its snapshot, whole', async (context) => {
    const { engine, secret } = await offered(context);
    const { grant } = await openTicket(engine.store, secret, NO_ABORT);
    const source = grantedSource(engine.store, grant);
    const emit = (): void => undefined;
    const snapshot = await openGrantedSnapshot(source, grant, emit, NO_ABORT);
    const [root] = snapshot.body.roots;
    assert.ok(root);
    const stage = join(engine.folder, 'stage');
    const restored = await restoreTrees(
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
      },
      NO_ABORT,
    );
    assert.deepEqual(restored.problems, []);
    assert.equal(readFileSync(join(stage, 'notes.txt'), 'utf8'), TEXT);
  });

  test('nothing that was pushed for another install', async (context) => {
    const { engine, secret } = await offered(context);
    await pushFile(engine, 'resonix', 'somebody else’s notes\n');
    const { grant } = await openTicket(engine.store, secret, NO_ABORT);
    const source = grantedSource(engine.store, grant);
    let refused = 0;
    for await (const { name } of engine.store.list('packs/', NO_ABORT)) {
      if (grant.packs.some(({ pack }) => name.endsWith(pack))) continue;
      const header = await engine.store.get(name, { offset: 0, length: 1216 }, NO_ABORT);
      assert.equal(source.objectKey(name, header?.bytes ?? new Uint8Array()), undefined);
      refused += 1;
    }
    assert.ok(refused > 0);
  });

  test('2 000 packs make a grant that is fetched at once', () => {
    const [pack] = GRANT.packs;
    assert.ok(pack);
    const packs = Array.from({ length: 2000 }, () => pack);
    const { length } = sealGrant(KEYS.grant, { ...GRANT, packs }, systemRandom);
    assert.ok(length < 512 * 1024, `${length}`);
  });

  test('times that no ticket could hold are in no grant', () => {
    const { addresses } = GRANT.facts;
    assert.ok(addresses);
    for (const field of ['signedAtSeconds', 'lifeSeconds']) {
      const template = { ...addresses.template, [field]: 2 ** 40 };
      const facts = { ...GRANT.facts, addresses: { ...addresses, template } };
      assert.throws(() => sealGrant(KEYS.grant, { ...GRANT, facts }, systemRandom), /too_big/i);
    }
  });
});

describe('what is refused', () => {
  test('a ticket that has ended, by the store’s clock', async (context) => {
    const { engine, secret, offer } = await offered(context);
    for (const [ms, code] of [
      [offer.endsAtMs, 'ticket-expired'],
      [offer.endsAtMs - 1, undefined],
    ] as const) {
      const opened = openTicket(at(engine.store, ms), secret, NO_ABORT);
      if (code === undefined) assert.equal((await opened).nowMs, ms);
      else assert.equal((await refusalOf(opened)).code, code);
    }
  });

  test('another secret leads nowhere', async (context) => {
    const { engine } = await offered(context);
    const stranger = fixedBytes('a stranger', 32);
    assert.equal(
      (await refusalOf(openTicket(engine.store, stranger, NO_ABORT))).code,
      'ticket-cancelled',
    );
  });

  test('a grant that was swapped for another, or changed', async (context) => {
    const { engine, secret, offer } = await offered(context);
    const other = await offerLast(engine);
    const name = `grants/${offer.place.id}`;
    const replay = await engine.store.get(`grants/${other.place.id}`, undefined, NO_ABORT);
    assert.ok(replay);
    await engine.store.put(name, replay.bytes, {}, NO_ABORT);
    assert.equal(
      (await refusalOf(openTicket(engine.store, secret, NO_ABORT))).code,
      'object-foreign',
    );
    const renamed = Buffer.from(replay.bytes);
    renamed.set(Buffer.from(offer.place.id, 'hex'), 48);
    await engine.store.put(name, renamed, {}, NO_ABORT);
    assert.equal(
      (await refusalOf(openTicket(engine.store, secret, NO_ABORT))).code,
      'object-damaged',
    );
  });

  test('an older snapshot under the name of the one that the ticket pins', async (context) => {
    const { engine } = await offered(context);
    const older = engine.machine.state.highWater[engine.machine.state.writer.id];
    await pushFile(engine, 'openclaw', 'what was written since\n');
    const offer = await offerLast(engine);
    const { grant } = await openTicket(engine.store, parseTicket(offer.ticket).secret, NO_ABORT);
    const folder = `snapshots/${grant.writer}`;
    const bytes = (await engine.store.get(`${folder}/${older?.snapshot}`, undefined, NO_ABORT))
      ?.bytes;
    assert.ok(bytes);
    await engine.store.put(`${folder}/${grant.facts.snapshot.id}`, bytes, {}, NO_ABORT);
    const opening = openGrantedSnapshot(
      grantedSource(engine.store, grant),
      grant,
      () => undefined,
      NO_ABORT,
    );
    assert.equal((await refusalOf(opening)).code, 'object-foreign');
  });
});

describe('one machine takes over', () => {
  test('of many at once one wins, and goes on after it was killed', async (context) => {
    const { engine, secret, offer } = await offered(context);
    const opened = await openTicket(engine.store, secret, NO_ABORT);
    const claimants = ['bob', 'carol', 'dora', 'emil'].map(claimant);
    const tried = await Promise.allSettled(
      claimants.map((one) => claimTicket(engine.store, opened, one, deps, NO_ABORT)),
    );
    const winners = claimants.filter((_, index) => tried[index]?.status === 'fulfilled');
    const [winner] = winners;
    assert.equal(winners.length, 1);
    assert.ok(winner);
    await claimTicket(engine.store, opened, winner, deps, NO_ABORT);
    await requireUnclaimed(engine.store, opened, winner.nonce, NO_ABORT);
    const late = claimTicket(engine.store, opened, claimant('late'), deps, NO_ABORT);
    const refused = await refusalOf(late);
    assert.equal(refused.code, 'ticket-used');
    assert.match(refused.message, new RegExp(winner.machine));
    const standing = await standingOf(engine.store, openHandoff(offer), offer.endsAtMs, NO_ABORT);
    assert.equal(standing.state, 'taken');
  });

  test('where create-only is a race, who was overwritten learns it a moment later', async (context) => {
    const { engine, secret } = await offered(context);
    const opened = await openTicket(engine.store, secret, NO_ABORT);
    const racy = {
      ...opened,
      grant: { ...opened.grant, facts: { ...opened.grant.facts, createOnly: 'racy' as const } },
    };
    let rival: (() => Promise<void>) | undefined = async () => {
      rival = undefined;
      const bytes = sealedClaimOf(racy);
      await engine.store.put(`claims/${racy.grant.id}`, bytes, {}, NO_ABORT);
    };
    const clock = {
      nowMs: systemClock.nowMs,
      sleep: async (): Promise<void> => rival?.(),
    };
    const work = claimTicket(engine.store, racy, claimant('bob'), { ...deps, clock }, NO_ABORT);
    assert.equal((await refusalOf(work)).code, 'ticket-used');
  });

  test('and so does who cancels at that moment', async (context) => {
    const { engine, secret, offer } = await offered(context);
    const opened = await openTicket(engine.store, secret, NO_ABORT);
    const sleep = async (): Promise<void> => {
      const bytes = sealedClaimOf(opened);
      await engine.store.put(`claims/${opened.grant.id}`, bytes, {}, NO_ABORT);
    };
    const cancelling = {
      store: engine.store,
      machine: 'harbour',
      random: systemRandom,
      clock: { nowMs: systemClock.nowMs, sleep },
      createOnly: 'racy' as const,
      emit: () => undefined,
    };
    assert.equal((await cancelHandoff(openHandoff(offer), cancelling, NO_ABORT)).what, 'taken');
    await openTicket(engine.store, secret, NO_ABORT);
  });

  test('cancelling and taking over exclude each other', async (context) => {
    const { engine, secret, offer } = await offered(context);
    const opened = await openTicket(engine.store, secret, NO_ABORT);
    const cancelling = {
      store: engine.store,
      machine: 'harbour',
      ...deps,
      createOnly: 'atomic' as const,
      emit: () => undefined,
    };
    const handoff = openHandoff(offer);
    assert.equal((await cancelHandoff(handoff, cancelling, NO_ABORT)).what, 'cancelled');
    const late = claimTicket(engine.store, opened, claimant('bob'), deps, NO_ABORT);
    assert.equal((await refusalOf(late)).code, 'ticket-cancelled');
    assert.equal(
      (await refusalOf(openTicket(engine.store, secret, NO_ABORT))).code,
      'ticket-cancelled',
    );
    const again = await offerLast(engine);
    const reopened = await openTicket(engine.store, parseTicket(again.ticket).secret, NO_ABORT);
    await claimTicket(engine.store, reopened, claimant('bob'), deps, NO_ABORT);
    const claim = await cancelHandoff(openHandoff(again), cancelling, NO_ABORT);
    assert.equal(claim.what, 'taken');
    assert.equal(claim.machine, 'bob');
  });

  test('the receipt confirms, once; a second one changes nothing', async (context) => {
    const { engine, secret, offer } = await offered(context);
    const opened = await openTicket(engine.store, secret, NO_ABORT);
    await claimTicket(engine.store, opened, claimant('bob'), deps, NO_ABORT);
    const receipt = {
      time: '2026-11-21T09:05:00.000Z',
      machine: 'bob',
      tool: 'test',
      product: null,
      snapshotDigest: opened.grant.facts.snapshot.digest,
      ok: true,
      checks: 3,
      failed: [],
    };
    const name = receiptName(opened.grant);
    for (const ok of [true, false]) {
      const bytes = receiptBytes(opened, { ...receipt, ok }, systemRandom);
      await storeReceipt(engine.store, name, bytes, NO_ABORT);
    }
    const standing = await standingOf(engine.store, openHandoff(offer), offer.endsAtMs, NO_ABORT);
    assert.equal(standing.state, 'confirmed');
    assert.equal(standing.receipt?.ok, true);
  });

  test('nobody took over in time', async (context) => {
    const { engine, offer } = await offered(context);
    const late = at(engine.store, offer.endsAtMs);
    const standing = await standingOf(late, openHandoff(offer), offer.endsAtMs, NO_ABORT);
    assert.deepEqual([standing.state, standing.isLongOver], ['ended', false]);
  });

  test('no claim says nothing any more once claims of then are deleted', async (context) => {
    const { engine, offer } = await offered(context);
    const years = at(engine.store, offer.endsAtMs + CLAIM_KEPT_MS);
    const standing = await standingOf(years, openHandoff(offer), offer.endsAtMs, NO_ABORT);
    assert.deepEqual([standing.state, standing.isLongOver], ['ended', true]);
  });
});

/** The same store at another time of its own clock. */
function at(store: ObjectStore, nowMs: number): ObjectStore {
  return {
    ...store,
    dateMs: () => Promise.resolve(nowMs),
    get: async (name, range, signal) => {
      const answer = await store.get(name, range, signal);
      return answer && { ...answer, dateMs: nowMs };
    },
  };
}

function sealedClaimOf({ grant, keys }: OpenedTicket): Uint8Array {
  const claim = {
    what: 'taken',
    time: '2026-11-21T09:00:00.000Z',
    machine: 'rival',
    nonce: toHex(fixedBytes('rival', 16)),
  } as const;
  return sealClaim(keys.claim, grant, claim, systemRandom);
}
