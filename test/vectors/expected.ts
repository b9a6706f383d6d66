/** What the good vectors must decode to, in a form that any language can compare: the content of `v1/good.json`. */
import { showPath } from '../../src/base/byte-path.ts';
import { fromUtf8, toHex } from '../../src/base/bytes.ts';
import type { Entry } from '../../src/format/entry.ts';
import {
  BODY,
  CONDEMNED,
  COVER,
  DRILLED,
  digestOf,
  ENTRIES,
  FORGOTTEN,
  LISTED,
  PACK_FRAMES,
  RECORD,
  REVOKED,
  SAMPLE,
  type NamedObject,
} from './sample.ts';
import { REPACKED } from './repacked.ts';

export function expectedContent(good: ReadonlyMap<string, NamedObject>): object {
  const objects = [...good].map(([what, { name, bytes }]) => ({
    what,
    name,
    length: bytes.length,
    blake2b256: digestOf(bytes),
  }));
  return {
    objects,
    writerRecord: { machine: RECORD.machine, time: RECORD.time },
    revocation: { time: new Date(REVOKED.timeMs).toISOString(), snapshots: REVOKED.snapshots },
    pack: {
      frames: PACK_FRAMES.map(({ entry }) => ({
        storedLength: entry.storedLength,
        segments: entry.segments.map((segment) => ({
          codec: segment.codec,
          storedLength: segment.storedLength,
          rawLength: segment.rawLength,
          chunks: segment.chunks.map((chunk) => ({ id: toHex(chunk.id), length: chunk.length })),
        })),
      })),
    },
    packList: LISTED,
    cover: COVER,
    body: BODY,
    forgotten: FORGOTTEN,
    repacked: REPACKED,
    drill: DRILLED,
    condemned: CONDEMNED,
    entries: ENTRIES.map(entryValue),
    files: {
      'agents/main.jsonl': fromUtf8(SAMPLE.transcript.content),
      'config.json': fromUtf8(SAMPLE.config.content),
      'credentials/creds.json': fromUtf8(SAMPLE.secret.content),
      'notes.txt': fromUtf8(SAMPLE.notes.content),
    },
  };
}

/** Paths as section 11 escapes them. */
export function entryValue(entry: Entry): object {
  const { path, mtimeNs, ...rest } = entry;
  const value = { path: showPath(path), ...rest, mtimeNs: `${mtimeNs}` };
  if ('ids' in entry) return { ...value, ids: toHex(entry.ids) };
  return 'target' in entry ? { ...value, target: showPath(entry.target) } : value;
}
