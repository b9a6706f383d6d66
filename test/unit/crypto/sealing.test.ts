/** Frames, bodies, boxes and sealed headers: what opens, and that nothing else does. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import sodium from 'libsodium-wrappers';
import { concatBytes, utf8, view } from '../../../src/base/bytes.ts';
import { BOX_OVERHEAD_BYTES, openBox, sealBox } from '../../../src/crypto/box.ts';
import {
  BODY_FRAME_BYTES,
  frameAssociated,
  openBody,
  openFrame,
  sealBody,
  sealFrameInto,
} from '../../../src/crypto/frames.ts';
import { identityFromSeed } from '../../../src/crypto/identity.ts';
import { openHeader, sealHeader } from '../../../src/crypto/sealing.ts';
import { cryptoReady, systemRandom } from '../../../src/crypto/sodium.ts';

before(cryptoReady);

const objectKey = { key: Buffer.alloc(32, 5), headerHash: Buffer.alloc(32, 6) };
const nonceOf = (frame: number): Buffer => {
  const nonce = Buffer.alloc(12);
  nonce.writeUInt32LE(frame);
  return nonce;
};

test('frames of node:crypto and of libsodium are interchangeable', () => {
  const frames = [0, 1, 255, 65_536, 0xffff_ffff];
  for (const [at, length] of [0, 1, 15, 16, 17, 63, 64, 65, 1000, 262_144].entries()) {
    const frame = frames[at % frames.length] ?? 0;
    const last = at % 2 === 0;
    const plaintext = systemRandom(length);
    const associated = frameAssociated(objectKey, frame, last);
    const theirs = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      plaintext,
      associated,
      null,
      nonceOf(frame),
      objectKey.key,
    );
    const ours = Buffer.alloc(length + 16);
    sealFrameInto(objectKey, frame, last, plaintext, ours, 0);
    assert.deepEqual(ours, view(theirs), `${length} bytes`);
    assert.deepEqual(openFrame(objectKey, frame, last, theirs), view(plaintext));
    const opened = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
      null,
      ours,
      associated,
      nonceOf(frame),
      objectKey.key,
    );
    assert.deepEqual(view(opened), view(plaintext));
  }
});

test('a frame opens only as itself, and not with any bit changed', () => {
  const stored = Buffer.alloc(40 + 16);
  sealFrameInto(objectKey, 3, false, systemRandom(40), stored, 0);
  assert.ok(openFrame(objectKey, 3, false, stored));
  assert.equal(openFrame(objectKey, 4, false, stored), undefined);
  assert.equal(openFrame(objectKey, 3, true, stored), undefined);
  const elsewhere = { ...objectKey, headerHash: Buffer.alloc(32, 7) };
  assert.equal(openFrame(elsewhere, 3, false, stored), undefined);
  assert.equal(openFrame({ ...objectKey, key: Buffer.alloc(32, 8) }, 3, false, stored), undefined);
  assert.equal(openFrame(objectKey, 3, false, stored.subarray(0, 15)), undefined);
  for (const changed of everyBit(stored)) {
    assert.equal(openFrame(objectKey, 3, false, changed), undefined);
  }
});

test('bodies of every length around the frame size come back, whole or not at all', () => {
  for (const length of [
    0,
    1,
    BODY_FRAME_BYTES - 1,
    BODY_FRAME_BYTES,
    BODY_FRAME_BYTES + 1,
    2 * BODY_FRAME_BYTES,
  ]) {
    const plaintext = systemRandom(length);
    const stored = sealBody(objectKey, plaintext);
    const frames = Math.max(1, Math.ceil(length / BODY_FRAME_BYTES));
    assert.equal(stored.length, length + frames * 16);
    assert.deepEqual(openBody(objectKey, stored), view(plaintext));
    assert.equal(openBody(objectKey, stored.subarray(0, -1)), undefined);
    assert.equal(openBody(objectKey, concatBytes(stored, new Uint8Array(1))), undefined);
    assert.equal(openBody(objectKey, concatBytes(stored, stored)), undefined);
  }
  const two = sealBody(objectKey, systemRandom(2 * BODY_FRAME_BYTES));
  const step = BODY_FRAME_BYTES + 16;
  assert.equal(openBody(objectKey, two.subarray(0, step)), undefined, 'the last frame is gone');
  assert.equal(openBody(objectKey, two.subarray(step)), undefined, 'the first frame is gone');
  const swapped = concatBytes(two.subarray(step), two.subarray(0, step));
  assert.equal(openBody(objectKey, swapped), undefined);
  assert.equal(openBody(objectKey, new Uint8Array(0)), undefined);
});

test('a box opens only under its key and its associated data, and not with any bit changed', () => {
  const key = systemRandom(32);
  const associated = utf8('where it lies');
  const plaintext = utf8('what is in it');
  const box = sealBox(key, associated, plaintext, systemRandom);
  assert.equal(box.length, plaintext.length + BOX_OVERHEAD_BYTES);
  assert.deepEqual(view(openBox(key, associated, box) ?? new Uint8Array(0)), plaintext);
  assert.equal(openBox(systemRandom(32), associated, box), undefined);
  assert.equal(openBox(key, utf8('elsewhere'), box), undefined);
  for (const changed of everyBit(box)) assert.equal(openBox(key, associated, changed), undefined);
  for (let length = 0; length < box.length; length++) {
    assert.equal(openBox(key, associated, box.subarray(0, length)), undefined);
  }
});

test('a sealed header opens only for its identity, and not with any bit changed', () => {
  const identity = identityFromSeed(Buffer.alloc(32, 1));
  const other = identityFromSeed(Buffer.alloc(32, 2));
  const prefix = systemRandom(64);
  const { header, objectKey: sealed } = sealHeader(identity.recipient.publicKey, prefix);
  assert.equal(header.length, 64 + 1120 + 32);
  const opened = openHeader(identity.recipient.secretKey, header, 64);
  assert.deepEqual(view(opened?.key ?? new Uint8Array(0)), view(sealed.key));
  assert.deepEqual(view(opened?.headerHash ?? new Uint8Array(0)), view(sealed.headerHash));
  assert.equal(openHeader(other.recipient.secretKey, header, 64), undefined);
  // One bit of every byte: an X-Wing decapsulation takes its time.
  for (let at = 0; at < header.length; at++) {
    const changed = Buffer.from(header);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    assert.equal(openHeader(identity.recipient.secretKey, changed, 64), undefined, `byte ${at}`);
  }
});

test('the same randomness makes the same header, fresh randomness another', () => {
  const { recipient } = identityFromSeed(Buffer.alloc(32, 1));
  const prefix = Buffer.alloc(64, 3);
  const randomness = Buffer.alloc(64, 4);
  const headers = [randomness, randomness, undefined, undefined].map((given) =>
    view(sealHeader(recipient.publicKey, prefix, given).header).toString('hex'),
  );
  assert.equal(headers[0], headers[1]);
  assert.equal(new Set(headers).size, 3);
});

function* everyBit(bytes: Uint8Array): Generator<Buffer> {
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const changed = Buffer.from(bytes);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    yield changed;
  }
}
