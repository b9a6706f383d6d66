/** The text form of a reader key: one line, `stateferry-reader-1 <base64 of 32 bytes>`; lines with `#` are remarks. */
import { fromBase64, toBase64 } from '../../base/bytes.ts';
import { FerryError } from '../../base/errors.ts';

export function parseReaderKey(text: string): Uint8Array {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const encoded = /^stateferry-reader-1 ([A-Za-z0-9+/]{43}=)$/.exec(lines[0]?.trim() ?? '')?.[1];
  if (lines.length === 1 && encoded !== undefined) return fromBase64(encoded);
  throw new FerryError('nothing-opens', 'the reader key file holds no reader key', {
    hint: 'Use the file that was made for this; the passphrase or the recovery code opens the repository too.',
  });
}

export const READER_KEY_BYTES = 32;

export const readerKeyText = (key: Uint8Array): string =>
  `# stateferry reader key: opens every backup of its repository.
# Keep it off the gateway's own host.
stateferry-reader-1 ${toBase64(key)}
`;
