import { concatBytes, u32le } from '../../src/base/bytes.ts';
import { encodeIndex } from '../../src/format/index-object.ts';
import { encodePackList } from '../../src/format/pack-list.ts';
import { badHeaders, badOf, type BadVector } from './bad-headers.ts';
import { OTHER_WRITER, WRITER } from './keys.ts';
import { boxed, flipBit, overwrite } from './parts.ts';
import { INDEX, INDEXED, LISTED, PACK_LIST } from './sample.ts';

/** Offset of the first pack's size in a padded plaintext: two lengths and two ids before it. */
const SIZE_AT = 4 + 4 + 16 + 16;

/** Indexes and pack lists, which are wrong in the same ways. */
export function badBoxed(bytesOf: (what: string) => Uint8Array): BadVector[] {
  return [
    ...badBox('index', bytesOf('index'), encodeIndex(INDEXED)),
    ...badBox('pack list', bytesOf('pack list'), encodePackList(LISTED)),
    ...badIndexes(),
  ];
}

function badBox(kind: 'index' | 'pack list', good: Uint8Array, plaintext: Uint8Array): BadVector[] {
  const bad = badOf(kind);
  const seal = (edited: Uint8Array): Uint8Array => sealAs(kind, edited, WRITER);
  const length = Buffer.from(plaintext).readUInt32LE(0);
  return [
    ...badHeaders(kind, good),
    bad('no box at all', 'object-damaged', good.slice(0, 64)),
    bad('cut by one byte', 'object-damaged', good.slice(0, -1)),
    bad('one byte more', 'object-damaged', concatBytes(good, new Uint8Array(1))),
    bad('a flipped bit in the header’s zeros', 'object-damaged', flipBit(good, 9)),
    bad('a flipped bit in the nonce', 'object-damaged', flipBit(good, 64)),
    bad('a flipped bit in the commitment', 'object-damaged', flipBit(good, 64 + 24)),
    bad('a flipped bit in the box', 'object-damaged', flipBit(good, 64 + 24 + 32 + 5)),
    bad('under another writer’s key', 'object-damaged', sealAs(kind, plaintext, OTHER_WRITER)),
    bad('under another subkey', 'object-damaged', sealWrongly(kind, plaintext)),
    bad('padding that is not zero', 'object-damaged', seal(flipBit(plaintext, -1))),
    bad('a length beyond the end', 'object-damaged', seal(overwrite(plaintext, 0, u32le(1 << 20)))),
    bad('one byte too many', 'object-damaged', seal(overwrite(plaintext, 0, u32le(length + 1)))),
    bad('more packs than follow', 'object-damaged', seal(overwrite(plaintext, 4, u32le(2)))),
    bad('fewer packs than follow', 'object-damaged', seal(overwrite(plaintext, 4, u32le(0)))),
    bad('four billion packs', 'object-damaged', seal(overwrite(plaintext, 4, u32le(0xffff_ffff)))),
    bad(
      'a pack larger than one may be',
      'object-damaged',
      seal(overwrite(plaintext, SIZE_AT, u32le(64 * 1024 * 1024 + 1))),
    ),
  ];
}

function badIndexes(): BadVector[] {
  const [pack] = INDEXED;
  const seal = (wrong: string, directory: Uint8Array): BadVector => ({
    kind: 'index',
    wrong,
    code: 'object-damaged',
    bytes: sealAs('index', encodeIndex([{ ...pack, directory }]), WRITER),
  });
  return [
    seal('a directory of 65 537 frames', overwrite(pack.directory, 0, u32le(65_537))),
    seal('a directory cut short', pack.directory.slice(0, -1)),
    seal('a directory with bytes left over', concatBytes(pack.directory, new Uint8Array(1))),
  ];
}

function sealAs(
  kind: 'index' | 'pack list',
  plaintext: Uint8Array,
  writer: typeof WRITER,
): Uint8Array {
  return kind === 'index'
    ? boxed(INDEX, writer.subkeys.index, plaintext, 'bad index')
    : boxed(PACK_LIST, writer.subkeys.packList, plaintext, 'bad pack list');
}

function sealWrongly(kind: 'index' | 'pack list', plaintext: Uint8Array): Uint8Array {
  return kind === 'index'
    ? boxed(INDEX, WRITER.subkeys.packList, plaintext, 'swapped subkey')
    : boxed(PACK_LIST, WRITER.subkeys.index, plaintext, 'swapped subkey');
}
