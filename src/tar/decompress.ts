/** An archive as plain tar, however it is compressed; found by its first bytes, since names lie. */
import { pipeline, type Duplex } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { FerryError } from '../base/errors.ts';

/** @throws object-damaged for something that is no tar, with what to do about it */
export async function* plainTar(
  source: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array, void> {
  const { start, rest } = await peek(source);
  const kind = KINDS.find(({ magic }) => start.subarray(0, magic.length).equals(magic));
  if (kind?.refuse !== undefined) {
    throw new FerryError('object-damaged', `${what} is ${kind.refuse}`, {
      hint: 'Unpack it yourself and pack it again as .tar.gz, .tar.zst or .tar.',
    });
  }
  const plain = kind?.open?.();
  if (plain === undefined) {
    yield* rest;
    return;
  }
  // What goes wrong before it comes out of `plain` when it is read.
  pipeline(rest, plain, () => undefined);
  yield* plain as AsyncIterable<Buffer>;
}

type Kind = {
  readonly magic: Buffer;
  readonly open?: () => Duplex;
  readonly refuse?: string;
};

const magic = (hex: string): Buffer => Buffer.from(hex, 'hex');

const KINDS: readonly Kind[] = [
  { magic: magic('1f8b'), open: () => createGunzip() },
  { magic: magic('28b52ffd'), open: () => createZstdDecompress() },
  { magic: magic('425a68'), refuse: 'compressed with bzip2, which is not read here' },
  { magic: magic('fd377a585a00'), refuse: 'compressed with xz, which is not read here' },
  { magic: magic('504b0304'), refuse: 'a zip archive, not a tar archive' },
];

const MAGIC_BYTES_MAX = 6;

/** The first bytes, and everything once more. */
async function peek(
  source: AsyncIterable<Uint8Array>,
): Promise<{ start: Buffer; rest: AsyncGenerator<Uint8Array> }> {
  const pieces = source[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let bytes = 0;
  while (bytes < MAGIC_BYTES_MAX) {
    const next = await pieces.next();
    if (next.done === true) break;
    first.push(next.value);
    bytes += next.value.length;
  }
  return { start: Buffer.concat(first), rest: again(first, pieces) };
}

async function* again(
  first: readonly Uint8Array[],
  pieces: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* first;
    for (let next = await pieces.next(); next.done !== true; next = await pieces.next()) {
      yield next.value;
    }
  } finally {
    await pieces.return?.();
  }
}
