/** Tar blocks made by hand, so that an archive can say what no tar would write. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { bytePathFromText } from '../../../src/base/byte-path.ts';
import { runProcess } from '../../../src/process/run.ts';
import { extractTar, type Extracted } from '../../../src/tar/extract-tar.ts';
import { readTar, type TarMember } from '../../../src/tar/read-tar.ts';

export const END = Buffer.alloc(1024);

export type RawMember = {
  readonly name: string;
  readonly type?: string;
  readonly link?: string;
  readonly content?: Buffer;
  /** What the header says, when it is not the truth. */
  readonly size?: number;
  readonly mode?: number;
};

/** One member: header, content, padding. */
export function member(raw: RawMember): Buffer {
  const content = raw.content ?? Buffer.alloc(0);
  const header = Buffer.alloc(512);
  header.write(raw.name, 0, 100, 'latin1');
  header.write(octal(raw.mode ?? 0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(raw.size ?? content.length, 11), 124);
  header.write(octal(1_700_000_000, 11), 136);
  header.write(raw.type ?? '0', 156);
  header.write(raw.link ?? '', 157, 100, 'latin1');
  header.write('ustar', 257);
  header.write('00', 263);
  header.fill(' ', 148, 156);
  header.write(
    octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    ),
    148,
  );
  header[155] = 0x20;
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

const octal = (value: number, digits: number): string =>
  `${value.toString(8).padStart(digits, '0')}\0`;

export function paxMember(records: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(records).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    let length = rest.length;
    while (String(length).length + rest.length !== length) length += 1;
    return `${length}${rest}`;
  });
  return member({ name: 'pax', type: 'x', content: Buffer.from(text.join(''), 'latin1') });
}

const NO_ABORT = new AbortController().signal;

export const archiveOf = (...parts: readonly Buffer[]): Buffer => Buffer.concat([...parts, END]);

const membersOf = (content: AsyncIterable<Uint8Array>): AsyncGenerator<TarMember, void> =>
  readTar({ what: 'the archive', content }, () => undefined, NO_ABORT);

/** Pieces of an odd size, so that no block lies in one piece. */
function pieces(bytes: Buffer): AsyncIterable<Buffer> {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 1000) parts.push(bytes.subarray(at, at + 1000));
  return Readable.from(parts);
}

export const readRaw = (bytes: Buffer): Promise<{ entry: TarMember['entry']; content: Buffer }[]> =>
  readAll(pieces(bytes));

export const readFileTar = (path: string): ReturnType<typeof readAll> =>
  readAll(createReadStream(path));

async function readAll(
  source: AsyncIterable<Uint8Array>,
): Promise<{ entry: TarMember['entry']; content: Buffer }[]> {
  const read: { entry: TarMember['entry']; content: Buffer }[] = [];
  for await (const { entry, content } of membersOf(source)) {
    const whole = Buffer.alloc(entry.type === 'file' ? entry.size : 0);
    for await (const { position, bytes } of content()) whole.set(bytes, position);
    read.push({ entry, content: whole });
  }
  return read;
}

export function extractRaw(bytes: Buffer, stage: string, bytesMax = 1e6): Promise<Extracted> {
  return extractTar(
    membersOf(pieces(bytes)),
    { what: 'the archive', stage: bytePathFromText(stage), place: (path) => path, bytesMax },
    { run: runProcess, signal: NO_ABORT },
  );
}
