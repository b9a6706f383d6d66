import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { describe, test } from 'node:test';
import { asBytePath } from '../../../src/base/byte-path.ts';
import { decodePax, decodePaxTime, encodePaxBlocks, encodePaxTime } from '../../../src/tar/pax.ts';
import { readTar } from '../../../src/tar/read-tar.ts';
import type { TarEntry } from '../../../src/tar/tar-entry.ts';
import { writeTar, type TarItem } from '../../../src/tar/write-tar.ts';
import { archiveOf, readRaw } from './raw-tar.ts';

const signal = new AbortController().signal;
const base = { mode: 0o600, uid: 1, gid: 1, owner: 'u', group: 'g', mtimeNs: 0n };
const file = (name: string, size: number): TarEntry => ({
  ...base,
  type: 'file',
  path: asBytePath(name),
  size,
});

async function* one(item: Omit<TarItem, 'under'>): AsyncGenerator<TarItem, void> {
  yield { under: asBytePath(''), ...item };
}

async function* zeros(
  bytes: number,
  onPiece: (bytes: number) => void,
): AsyncGenerator<Buffer, void> {
  const piece = Buffer.alloc(64 * 1024);
  for (let at = 0; at < bytes; at += piece.length) {
    const part = piece.subarray(0, Math.min(piece.length, bytes - at));
    onPiece(part.length);
    yield part;
  }
}

function collector(
  onPiece: (bytes: number) => void = () => undefined,
): Writable & { parts: Buffer[] } {
  const parts: Buffer[] = [];
  const output = new Writable({
    write(piece: Buffer, _encoding, done) {
      parts.push(piece);
      onPiece(piece.length);
      setImmediate(done);
    },
  });
  return Object.assign(output, { parts });
}

describe('writeTar', () => {
  test('a full disk is told with what helps: an archive begins anew', async () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const output = new Writable({ write: (_piece, _encoding, done) => done(full) });
    const item = { entry: file('a', 1000), content: zeros(1000, () => undefined) };
    await assert.rejects(writeTar(one(item), output, signal), {
      code: 'no-space',
      hint: /^Make room for the whole archive/,
    });
  });

  test('content waits for a slow reader', async () => {
    let ahead = 0;
    let aheadMax = 0;
    const output = collector((bytes) => void (ahead -= bytes));
    const count = (bytes: number): void => {
      ahead += bytes;
      aheadMax = Math.max(aheadMax, ahead);
    };
    const size = 20_000_000;
    await writeTar(one({ entry: file('a', size), content: zeros(size, count) }), output, signal);
    assert.ok(aheadMax > 0 && aheadMax < 1_000_000, `${aheadMax} bytes were waiting`);
  });

  test('a piece may be written over once the next one is asked for', async () => {
    const scratch = Buffer.alloc(200_000);
    const lengths = [10, 70_000, 16_384, 0, 200_000, 65_536, 1, 100_000, 20_000];
    const reused = async function* (): AsyncGenerator<Buffer, void> {
      for (const [number, length] of lengths.entries()) {
        yield scratch.fill(number + 1, 0, length).subarray(0, length);
        scratch.fill(0);
      }
    };
    const parts: Buffer[] = [];
    const output = new Writable({
      highWaterMark: 64 * 1024,
      write(piece: Buffer, _encoding, done) {
        setImmediate(() => {
          parts.push(Buffer.from(piece));
          done();
        });
      },
    });
    const size = lengths.reduce((sum, length) => sum + length, 0);
    await writeTar(one({ entry: file('a', size), content: reused() }), output, signal);
    const expected = lengths.map((length, number) => Buffer.alloc(length, number + 1));
    const archive = Buffer.concat(parts);
    assert.ok(archive.includes(Buffer.concat(expected)), 'the content is what it was');
  });

  test('a mode of nothing stays nothing', async () => {
    const output = collector();
    const entry = { ...file('a', 0), mode: 0 };
    await writeTar(one({ entry, content: zeros(0, () => undefined) }), output, signal);
    assert.equal(Buffer.concat(output.parts).toString('latin1', 100, 106), '000000');
  });

  test('a size beyond eight gigabytes is read back', async () => {
    const size = 2 ** 40 + 1;
    const output = collector();
    // The pax header and its records, the header, and the first of the content.
    const stop = async function* (): AsyncGenerator<Buffer, void> {
      yield Buffer.alloc(512);
      for (let turn = 0; turn < 100 && output.parts.length < 4; turn++) {
        await new Promise((resolve) => void setImmediate(resolve));
      }
      throw new Error('enough');
    };
    await assert.rejects(
      writeTar(one({ entry: file('a', size), content: stop() }), output, signal),
    );
    const { size: read } = await firstEntry(Buffer.concat(output.parts));
    assert.equal(read, size);
  });

  test('content of another length than was said is a failure', async () => {
    for (const bytes of [9, 11]) {
      const content = zeros(bytes, () => undefined);
      await assert.rejects(writeTar(one({ entry: file('a', 10), content }), collector(), signal));
    }
  });

  test('a comment travels', async () => {
    const output = collector();
    await writeTar(
      one({ entry: { ...base, type: 'dir', path: asBytePath('d') }, comment: 'Grüße' }),
      output,
      signal,
    );
    const bytes = Buffer.concat(output.parts);
    assert.ok(bytes.includes('comment=Grüße'));
    assert.equal((await readRaw(bytes)).length, 1);
  });

  test('an abort ends it', async () => {
    const abort = new AbortController();
    const endless = zeros(
      1e12,
      (bytes) => void (bytes > 0 && output.parts.length > 3 && abort.abort()),
    );
    const output = collector();
    const items = one({ entry: file('a', 1e12), content: endless });
    await assert.rejects(writeTar(items, output, abort.signal), { code: 'interrupted' });
  });
});

async function firstEntry(bytes: Buffer): Promise<{ size: number }> {
  const source = { what: 'a', content: Readable.from([archiveOf(bytes)]) };
  for await (const { entry } of readTar(source, () => undefined, signal)) {
    assert.equal(entry.type, 'file');
    return entry.type === 'file' ? entry : { size: 0 };
  }
  throw new Error('there is no member');
}

describe('pax', () => {
  test('records of every length fill whole blocks and come back', () => {
    for (let length = 0; length < 1100; length++) {
      const records = new Map([['path', 'x'.repeat(length)]]);
      const blocks = encodePaxBlocks(records);
      assert.equal(blocks.length % 512, 0);
      assert.equal(decodePax(blocks, 'a').get('path'), records.get('path'));
    }
  });

  test('times', () => {
    for (const ns of [0n, 1n, 999_999_999n, 1_700_000_000_123_456_789n, -1n, -1_500_000_000n]) {
      assert.equal(decodePaxTime(encodePaxTime(ns)), ns);
    }
    assert.equal(decodePaxTime('12'), 12_000_000_000n);
    assert.equal(decodePaxTime('12.3456789012'), 12_345_678_901n);
    for (const text of ['', 'x', '1e9', '99999999999', '9999999999']) {
      assert.equal(decodePaxTime(text), undefined);
    }
  });
});
