/** Names that are taken apart once. */
import { parseWriterObjectName as parse, type ParsedName } from '../../../src/format/names.ts';

export * from '../../../src/format/names.ts';

const KNOWN_MAX = 100_000;
const known = new Map<string, ParsedName | undefined>();

export function parseWriterObjectName(name: string): ParsedName | undefined {
  const before = known.get(name);
  if (before) return before;
  // Of another world by now.
  if (known.size >= KNOWN_MAX) known.clear();
  const parsed = parse(name);
  known.set(name, parsed);
  return parsed;
}
