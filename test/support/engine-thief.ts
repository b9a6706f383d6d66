/** What somebody can do with everything that lies on a machine: every key-like thing, tried on every object. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fromBase64, fromHex } from '../../src/base/bytes.ts';
import { openBox } from '../../src/crypto/box.ts';
import { openBody, openFrame, type ObjectKey } from '../../src/crypto/frames.ts';
import { identityFromSeed, installSubkeys, writerSubkeys } from '../../src/crypto/identity.ts';
import { kdf } from '../../src/crypto/kdf.ts';
import { openHeader } from '../../src/crypto/sealing.ts';
import { blake2b256, xwingKeyPair } from '../../src/crypto/sodium.ts';
import { HEADER_BYTES, SEALED_HEADER_BYTES } from '../../src/format/header.ts';
import { decodeKeySlot, keySlotAssociated } from '../../src/format/key-slot.ts';
import { TRAILER_FRAME, TRAILER_STORED_BYTES } from '../../src/format/pack.ts';
import { splitSnapshot } from '../../src/format/snapshot.ts';
import { WRITER_RECORD_PREFIX_BYTES } from '../../src/format/writer-record.ts';
import type { Machine } from './engine.ts';

export type Loot = {
  /** Tried as symmetric keys of every kind. */
  readonly keys: readonly Uint8Array[];
  /** Tried as secret keys of the KEM. */
  readonly secrets: readonly Uint8Array[];
};

/** Everything of 32 bytes in settings and cache, and what can be derived from it. */
export function lootOf(machine: Machine, install: string): Loot {
  const found = [...strings(machine.state), ...cachedStrings(machine)].flatMap(decoded);
  const roots = unique(found.filter((bytes) => bytes.length === 32));
  const derived = roots.flatMap((key) => [
    ...Object.values(writerSubkeys(key)),
    ...Object.values(installSubkeys(key, install)),
    kdf(key, 'slot'),
    kdf(key, 'object'),
    blake2b256(key),
  ]);
  const secrets = roots.flatMap((seed) => [
    seed,
    xwingKeyPair(seed).secretKey,
    identityFromSeed(seed).recipient.secretKey,
  ]);
  return { keys: unique([...roots, ...derived, ...cachedWindows(machine)]), secrets };
}

/** Which objects open at all: their names, with what opened of them. */
export function whatOpens(objects: ReadonlyMap<string, Uint8Array>, loot: Loot): string[] {
  return [...objects].flatMap(([name, bytes]) =>
    partsOf(name, bytes).flatMap(({ part, opens }) => (opens(loot) ? [`${name} ${part}`] : [])),
  );
}

type Part = { readonly part: string; readonly opens: (loot: Loot) => boolean };

function partsOf(name: string, bytes: Uint8Array): Part[] {
  const [folder = ''] = name.split('/');
  if (folder === 'indexes' || folder === 'lists') {
    const [header, box] = [bytes.subarray(0, HEADER_BYTES), bytes.subarray(HEADER_BYTES)];
    return [{ part: 'box', opens: ({ keys }) => keys.some((key) => openBox(key, header, box)) }];
  }
  if (folder === 'snapshots') {
    const { sealedHeader, coverBox, sealedBody } = splitSnapshot(bytes, name);
    const sealed = { header: sealedHeader, prefixBytes: HEADER_BYTES };
    return [
      {
        part: 'cover',
        opens: ({ keys }) => keys.some((key) => openBox(key, sealedHeader, coverBox)),
      },
      { part: 'body', opens: opensSealed(sealed, (key) => openBody(key, sealedBody)) },
    ];
  }
  if (folder === 'packs') {
    const sealed = { header: bytes.subarray(0, SEALED_HEADER_BYTES), prefixBytes: HEADER_BYTES };
    const trailer = bytes.subarray(bytes.length - TRAILER_STORED_BYTES);
    const open = (key: ObjectKey): unknown => openFrame(key, TRAILER_FRAME, true, trailer);
    return [{ part: 'trailer', opens: opensSealed(sealed, open) }];
  }
  if (folder === 'writers') {
    const prefixBytes = WRITER_RECORD_PREFIX_BYTES;
    const headerBytes = prefixBytes + SEALED_HEADER_BYTES - HEADER_BYTES;
    const sealed = { header: bytes.subarray(0, headerBytes), prefixBytes };
    const body = bytes.subarray(headerBytes, bytes.length - 64);
    return [{ part: 'body', opens: opensSealed(sealed, (key) => openBody(key, body)) }];
  }
  if (folder === 'keys') {
    const slot = decodeKeySlot(bytes, name);
    const associated = keySlotAssociated(slot);
    return [
      {
        part: 'seed',
        opens: ({ keys }) => keys.some((key) => openBox(key, associated, slot.box)),
      },
    ];
  }
  if (name === 'stateferry.json') return [];
  throw new Error(`nobody tried to open a ${folder}`);
}

type Sealed = { readonly header: Uint8Array; readonly prefixBytes: number };

/** By the KEM with each secret, or with a key taken for the object's own. */
const opensSealed =
  ({ header, prefixBytes }: Sealed, open: (key: ObjectKey) => unknown) =>
  ({ keys, secrets }: Loot): boolean => {
    const headerHash = blake2b256(header);
    const direct = keys.some((key) => open({ key, headerHash }) !== undefined);
    return (
      direct || secrets.some((secret) => openHeader(secret, header, prefixBytes) !== undefined)
    );
  };

function strings(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...strings(inner)]);
}

const decoded = (text: string): Uint8Array[] => [fromHex(text), fromBase64(text)];

function cachedStrings(machine: Machine): string[] {
  return cachedValues(machine).flatMap((value) =>
    typeof value === 'string' ? [value] : textRuns(Buffer.from(value).toString('latin1')),
  );
}

const textRuns = (text: string): string[] => text.match(/[A-Za-z0-9+/=]{32,}/g) ?? [];

/** 32 bytes from every place in what the cache holds. */
function cachedWindows(machine: Machine): Uint8Array[] {
  return cachedValues(machine).flatMap((value) => {
    const bytes = typeof value === 'string' ? Buffer.from(value) : value;
    const end = Math.min(bytes.length, WINDOW_BYTES_MAX) - 32;
    return Array.from({ length: Math.max(0, end + 1) }, (_, at) => bytes.subarray(at, at + 32));
  });
}

const WINDOW_BYTES_MAX = 2048;

function cachedValues(machine: Machine): (string | Uint8Array)[] {
  const folder = machine.cache ?? '';
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sqlite'))
    .flatMap((name) => {
      const db = new DatabaseSync(join(folder, name), { readOnly: true });
      const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      const rows = tables.flatMap((table) =>
        db.prepare(`SELECT * FROM ${String(table['name'])}`).all(),
      );
      db.close();
      return rows.flatMap((row) => Object.values(row).flatMap(textOrBytes));
    });
}

const textOrBytes = (value: unknown): (string | Uint8Array)[] =>
  typeof value === 'string' || value instanceof Uint8Array ? [value] : [];

function unique(keys: readonly Uint8Array[]): Uint8Array[] {
  return [...new Map(keys.map((key) => [Buffer.from(key).toString('latin1'), key])).values()];
}
