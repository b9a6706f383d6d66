/** Changed bits: every object of the sample repository is refused then, or says the same as before. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { decodeKeySlot } from '../../../src/format/key-slot.ts';
import { parseId, type ObjectId } from '../../../src/format/names.ts';
import type { VectorKind } from '../../vectors/bad-headers.ts';
import { openVector } from '../../vectors/open-vector.ts';
import { goodObjects, type NamedObject } from '../../vectors/sample.ts';

const good = await goodObjects();

/** Bits of each byte: all of them, or one, another for every byte. */
const PLAN: readonly (readonly [what: string, kind: VectorKind, bitsPerByte: 1 | 8])[] = [
  ['key slot, recovery code', 'key slot', 8],
  ['key slot, reader key', 'key slot', 1],
  ['index', 'index', 8],
  ['pack list', 'pack list', 8],
  ['forget record', 'forget record', 8],
  ['tombstone', 'tombstone', 8],
  ['writer record', 'writer record', 8],
  ['snapshot', 'snapshot', 8],
];

for (const [what, kind, bitsPerByte] of PLAN) {
  test(`a changed bit in a ${what} is refused or changes nothing`, async () => {
    const object = objectOf(what);
    const before = JSON.stringify(await openVector(kind, object.bytes, object.name));
    let refused = 0;
    for (let at = 0; at < object.bytes.length; at++) {
      for (let bit = 0; bit < bitsPerByte; bit++) {
        const changed = flip(object.bytes, at, bitsPerByte === 8 ? bit : at % 8);
        const after = await openOrCode(kind, changed, object.name);
        if (after.code !== undefined) refused += 1;
        else assert.equal(after.value, before, `byte ${at}, bit ${bit}`);
      }
    }
    assert.ok(refused > object.bytes.length / 2, `${refused} refused`);
  });
}

test('a changed bit in the header of the repository is refused, or names another repository', async () => {
  const { bytes, name } = objectOf('repository header');
  const before = await openVector('repository header', bytes);
  let others = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = flip(bytes, bit >> 3, bit & 7);
    const after = await openOrCode('repository header', changed, name);
    if (after.value === undefined || after.value === JSON.stringify(before)) continue;
    others += 1;
    // It is plain text: what protects it is that every other object names the repository, too.
    const slot = objectOf('key slot, recovery code');
    const id = parseId<ObjectId>(String(JSON.parse(after.value)));
    assert.ok(id);
    assert.notEqual(id, before);
    assert.notEqual(decodeKeySlot(slot.bytes, slot.name).repository, id);
  }
  assert.ok(others > 0);
});

test('a changed bit anywhere in a pack is refused', async () => {
  const { bytes, name } = objectOf('pack');
  // Each part of the sealed header, the three frames, the directory with its padding, and the trailer.
  const places = [
    0, 8, 9, 16, 40, 63, 64, 700, 1151, 1152, 1183, 1184, 1215, 1216, 1300, 1400, 1500,
  ];
  const fromEnd = [-1, -16, -32, -33, -48, -1000, -50_000];
  for (const place of [...places, ...fromEnd]) {
    const at = place < 0 ? bytes.length + place : place;
    const { code } = await openOrCode('pack', flip(bytes, at, at % 8), name);
    assert.ok(code !== undefined, `byte ${at}`);
  }
});

test('every object is refused when it is cut anywhere, or longer', async () => {
  for (const [what, kind] of PLAN) {
    if (kind === 'key slot') continue;
    const { bytes, name } = objectOf(what);
    const step = Math.max(1, Math.floor(bytes.length / 100));
    const longer = Buffer.concat([bytes, Buffer.alloc(1)]);
    const cuts = Array.from({ length: Math.floor(bytes.length / step) }, (_, at) => at * step);
    for (const length of [...cuts, bytes.length - 1, longer.length]) {
      const { code } = await openOrCode(kind, longer.subarray(0, length), name);
      assert.ok(code !== undefined, `${what}, ${length} bytes`);
    }
  }
});

test('no object passes for one of another kind', async () => {
  const kinds = PLAN.filter(([, kind]) => kind !== 'key slot');
  for (const [what, kind] of kinds) {
    for (const [other] of [...kinds, ['pack'] as const]) {
      if (other === what) continue;
      const { code } = await openOrCode(kind, objectOf(other).bytes, objectOf(what).name);
      assert.equal(code, 'object-foreign', `${other} as ${what}`);
    }
  }
});

function objectOf(what: string): NamedObject {
  const object = good.get(what);
  assert.ok(object, what);
  return object;
}

function flip(bytes: Uint8Array, at: number, bit: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = (changed[at] ?? 0) ^ (1 << bit);
  return changed;
}

/** Only a FerryError is a refusal; anything else fails the test. */
async function openOrCode(
  kind: VectorKind,
  bytes: Uint8Array,
  name: string,
): Promise<{ readonly code?: string; readonly value?: string }> {
  try {
    return { value: JSON.stringify(await openVector(kind, bytes, name)) };
  } catch (error) {
    if (!(error instanceof FerryError) || error.code === 'bug') throw error;
    return { code: error.code };
  }
}
