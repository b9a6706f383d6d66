/**
 * Short texts that go into a ticket: parts that addresses often have are one byte, and a run of 32 hex digits (an
 * account or access key of some providers) is 17. u8 length ‖ bytes; all other bytes are ASCII.
 */
import { ByteReader, ByteWriter, fromHex, toHex } from '../base/bytes.ts';
import { assert } from '../base/errors.ts';

/** At 0x80 and up, for ever: a new one is added at the end. */
const PARTS: readonly string[] = [
  'https://',
  'http://',
  '.amazonaws.com/',
  '.s3.',
  '.r2.cloudflarestorage.com/',
  's3.',
  '.digitaloceanspaces.com/',
  '.backblazeb2.com/',
  '.wasabisys.com/',
  '.your-objectstorage.com/',
  '.scw.cloud/',
  'eu-central-',
  'eu-west-',
  'us-east-',
  'us-west-',
  'ap-southeast-',
  'ap-northeast-',
  '127.0.0.1:',
];
const PART_FROM = 0x80;
const HEX_RUN = 0xff;
const HEX_RUN_BYTES = 16;

export function writePackedText(writer: ByteWriter, text: string): void {
  const packed = new ByteWriter(text.length);
  for (let at = 0; at < text.length;) at += writeNext(packed, text.slice(at));
  assert(packed.length < 256, 'a text for a ticket is short');
  writer.u8(packed.length).bytes(packed.view());
}

/** Answers how many characters it took. */
function writeNext(packed: ByteWriter, text: string): number {
  const part = PARTS.findIndex((one) => text.startsWith(one));
  if (part >= 0) {
    packed.u8(PART_FROM + part);
    return PARTS[part]?.length ?? 0;
  }
  const run = /^[0-9a-f]{32}/.exec(text)?.[0];
  if (run !== undefined) {
    packed.u8(HEX_RUN).bytes(fromHex(run));
    return run.length;
  }
  const character = text.charCodeAt(0);
  assert(character < PART_FROM, 'a text for a ticket is ASCII');
  packed.u8(character);
  return 1;
}

export function readPackedText(reader: ByteReader): string {
  const end = reader.u8();
  const packed = new ByteReader(reader.bytes(end), 'the ticket');
  let text = '';
  while (packed.remaining > 0) {
    const code = packed.u8();
    if (code === HEX_RUN) text += toHex(packed.bytes(HEX_RUN_BYTES));
    else if (code < PART_FROM) text += String.fromCharCode(code);
    else {
      const part = PARTS[code - PART_FROM];
      if (part === undefined) throw packed.damaged('an unknown abbreviation');
      text += part;
    }
  }
  return text;
}
