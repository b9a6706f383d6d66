/** Published answers: what we compute is the algorithm that FORMAT.md names, not merely something consistent. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, test } from 'node:test';
import { fromHex, toHex, utf8 } from '../../../src/base/bytes.ts';
import { chunkId, chunkIdKey, CHUNK_KINDS } from '../../../src/crypto/chunk-id.ts';
import { frameAssociated, openFrame, sealFrameInto } from '../../../src/crypto/frames.ts';
import { kdf, lengthPrefixed } from '../../../src/crypto/kdf.ts';
import { passphraseKey } from '../../../src/crypto/passphrase.ts';
import { pathHash } from '../../../src/crypto/path-hash.ts';
import { sign, verify } from '../../../src/crypto/signature.ts';
import {
  blake2b256,
  cryptoReady,
  ed25519KeyPair,
  ed25519Sign,
  ed25519Verify,
  xchachaOpen,
  xchachaSeal,
  xwingDecapsulate,
  xwingEncapsulateWith,
  xwingKeyPair,
} from '../../../src/crypto/sodium.ts';

before(cryptoReady);

const counting = (length: number): Buffer => Buffer.from(Array.from({ length }, (_, at) => at));

/** HalfSipHash-2-4, 32-bit output, key 00…07, messages of 0 to 63 counting bytes (reference code, CC0). */
const HALF_SIP_HASH = `
  a9359f5b 27475ab8 fa62a603 8afee704 2a6e4689 c5fab669 5863fc23 8bcf63c5
  d0b8848f f806e779 94b07934 08083050 57f0872f 77e663ff d6fff87c 74fe2b97
  d9b5ac84 c474645b 465b8d9b 7befe387 e34d1045 613f62b3 70f367fe e6adb8bd
  27400c63 26787875 4f567b5f 3ab0e669 b0644000 ff670fb4 509e338b 5d589f1a
  fee72112 33753259 6a434f8c fe28b729 e75cc6ec 697e8d54 63688b0f 650b62b4
  b6bc1840 5d074505 2442fd2e 7bb7863a 7705d548 d75208b1 b6d499c8 0892202e
  69e12ce3 8db580e5 369764c6 016e0204 3b85f3d4 fedb66be 1e692a3a c68984c0
  a5c5b940 9be9e88c 7dbc8140 7c078ec5 d4e76c73 428fcbb9 bd83997a 59ea4a74`;

test('HalfSipHash-2-4 gives the 64 answers of its authors', () => {
  const hash = pathHash(counting(8));
  const answers = HALF_SIP_HASH.trim().split(/\s+/);
  assert.equal(answers.length, 64);
  for (const [length, answer] of answers.entries()) {
    const out = Buffer.alloc(4);
    out.writeUInt32LE(hash(counting(length).toString('latin1')));
    assert.equal(out.toString('hex'), answer, `${length} bytes`);
  }
});

/** Appendix C of the X-Wing draft (ML-KEM as standardised); of the long strings only both ends. */
const XWING = [
  {
    seed: '7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26',
    randomness:
      '3cb1eea988004b93103cfb0aeefd2a686e01fa4a58e8a3639ca8a1e3f9ae57e2' +
      '35b8cc873c23dc62b8d260169afa2f75ab916a58d974918835d25e6a435085b2',
    publicKey: ['e2236b35a8c24b39b10aa1323a96a919', '223593d4ba32d9abac8cd049040ef6534'],
    ciphertext: [
      'b83aa828d4d62b9a83ceffe1d3d3bb1e',
      '5145030145cfb97e63e0e41d354274a079d3e6fb2e15',
    ],
    secret: 'd2df0522128f09dd8e2c92b1e905c793d8f57a54c3da25861f10bf4ca613e384',
  },
  {
    seed: 'badfd6dfaac359a5efbb7bcc4b59d538df9a04302e10c8bc1cbf1a0b3a5120ea',
    randomness:
      '17cda7cfad765f5623474d368ccca8af0007cd9f5e4c849f167a580b14aabdef' +
      'aee7eef47cb0fca9767be1fda69419dfb927e9df07348b196691abaeb580b32d',
    publicKey: ['0333285fa253661508c9fb444852caa4', '96ea8a160b8843f1c89c62'],
    ciphertext: [
      'c93beb22326705699bbc3d1d0aa6339b',
      'c9651e469aee6f91c98bea4127ae66312f4ae3ea155b67',
    ],
    secret: 'f2e86241c64d60f6649fbc6c5b7d17180b780a3f34355e64a85749949c45f150',
  },
] as const;

for (const [number, answer] of XWING.entries()) {
  test(`X-Wing, answer ${number + 1} of the draft`, () => {
    const pair = xwingKeyPair(fromHex(answer.seed));
    const sealed = xwingEncapsulateWith(pair.publicKey, fromHex(answer.randomness));
    for (const [found, [front, end]] of [
      [toHex(pair.publicKey), answer.publicKey],
      [toHex(sealed.ciphertext), answer.ciphertext],
    ] as const) {
      assert.ok(found.startsWith(front) && found.endsWith(end));
    }
    assert.equal(pair.publicKey.length, 1216);
    assert.equal(sealed.ciphertext.length, 1120);
    assert.equal(toHex(sealed.sharedSecret), answer.secret);
    assert.equal(toHex(xwingDecapsulate(sealed.ciphertext, pair.secretKey)), answer.secret);
  });
}

test('Ed25519, test 2 of RFC 8032', () => {
  const pair = ed25519KeyPair(
    fromHex('4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb'),
  );
  const signature = ed25519Sign(Uint8Array.of(0x72), pair.secretKey);
  assert.equal(
    toHex(pair.publicKey),
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
  );
  assert.equal(
    toHex(signature),
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  );
  assert.ok(ed25519Verify(signature, Uint8Array.of(0x72), pair.publicKey));
  assert.ok(!ed25519Verify(signature, Uint8Array.of(0x73), pair.publicKey));
});

test('BLAKE2b-256, unkeyed and keyed', () => {
  assert.equal(
    toHex(blake2b256(utf8('abc'))),
    'bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319',
  );
  // Python: hashlib.blake2b(b'abc', digest_size=32, key=bytes(range(32))).
  assert.equal(
    toHex(blake2b256(utf8('abc'), counting(32))),
    'd63a32d3e44738d7907f964316c241adaba0abfeabc32349677578a15a203f7f',
  );
});

test('XChaCha20-Poly1305, appendix A.3.1 of draft-irtf-cfrg-xchacha', () => {
  const plaintext = utf8(
    "Ladies and Gentlemen of the class of '99: " +
      'If I could offer you only one tip for the future, sunscreen would be it.',
  );
  const associated = fromHex('50515253c0c1c2c3c4c5c6c7');
  const key = counting(0xa0).subarray(0x80);
  const nonce = counting(0x58).subarray(0x40);
  const sealed = xchachaSeal(plaintext, associated, nonce, key);
  assert.equal(toHex(sealed.subarray(0, 16)), 'bd6d179d3e83d43b9576579493c0e939');
  assert.equal(toHex(sealed.subarray(-16)), 'c0875924c1c7987947deafd8780acf49');
  assert.deepEqual(Buffer.from(xchachaOpen(sealed, associated, nonce, key) ?? []), plaintext);
});

test('HMAC-SHA-256: a chunk id covers its kind', () => {
  // RFC 2104 written out: the published answers have no message that begins with one of our kinds.
  const key = counting(32);
  const pad = (byte: number): Buffer =>
    Buffer.from(Array.from({ length: 64 }, (_, at) => byte ^ (key[at] ?? 0)));
  const sha = (...parts: readonly Uint8Array[]): Buffer =>
    createHash('sha256').update(Buffer.concat(parts)).digest();
  for (const kind of Object.values(CHUNK_KINDS)) {
    const content = utf8('content');
    const expected = sha(pad(0x5c), sha(pad(0x36), Uint8Array.of(kind), content));
    assert.deepEqual(chunkId(chunkIdKey(key), kind, content), expected);
  }
});

test('Argon2id version 1.3 with NFC, as two other libraries compute it', async () => {
  const salt = utf8('somesalt-16bytes');
  const cost = { memoryKiB: 65_536, passes: 2, lanes: 1 };
  const key = await passphraseKey('password', salt, cost);
  assert.equal(key.length, 32);
  assert.equal(toHex(key), ARGON2ID_ANSWER);
});

/** Of libsodium and OpenSSL, which agree. */
const ARGON2ID_ANSWER = 'a094bd231a33de394ece80b157789a2a5e3720ce7c55cc406ff329b7eb40b0c6';

test('the key derivation is keyed BLAKE2b over length-prefixed parts', () => {
  const key = counting(32);
  const message = Buffer.concat([
    fromHex('0c000000'),
    utf8('stateferry/1'),
    fromHex('08000000'),
    utf8('chunk id'),
    fromHex('00000000'),
  ]);
  assert.deepEqual(kdf(key, 'chunk id', new Uint8Array(0)), blake2b256(message, key));
  assert.notDeepEqual(
    kdf(key, 'slot', utf8('ab'), utf8('c')),
    kdf(key, 'slot', utf8('a'), utf8('bc')),
  );
  assert.equal(toHex(lengthPrefixed(utf8('a'), new Uint8Array(0))), '010000006100000000');
});

test('a signature is over the purpose and the hash', () => {
  const pair = ed25519KeyPair(counting(32));
  const bytes = utf8('what is signed');
  const signature = sign('snapshot', bytes, pair.secretKey);
  const message = lengthPrefixed(utf8('stateferry/1'), utf8('snapshot'), blake2b256(bytes));
  assert.ok(ed25519Verify(signature, message, pair.publicKey));
  assert.ok(verify('snapshot', bytes, signature, pair.publicKey));
  assert.ok(!verify('tombstone', bytes, signature, pair.publicKey));
});

test('a frame binds header hash, number and last flag: 37 bytes', () => {
  const objectKey = { key: counting(32), headerHash: Buffer.alloc(32, 9) };
  const associated = frameAssociated(objectKey, 0x01020304, true);
  assert.equal(toHex(associated), `${'09'.repeat(32)}0403020101`);
  const out = Buffer.alloc(16);
  assert.equal(sealFrameInto(objectKey, 1, false, new Uint8Array(0), out, 0), 16);
  assert.equal(openFrame(objectKey, 1, false, out)?.length, 0);
});
