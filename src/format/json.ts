/** JSON parts of the format, checked by zod; what does not fit is `object-damaged` with the place. */
import type { z } from 'zod';
import { FerryError } from '../base/errors.ts';
import { fromUtf8 } from '../base/bytes.ts';

export function parseJson<S extends z.ZodType>(
  schema: S,
  bytes: Uint8Array,
  what: string,
): z.infer<S> {
  if (isTooDeep(bytes))
    throw new FerryError('object-damaged', `${what} is damaged: it is too deep`);
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch (error) {
    throw new FerryError('object-damaged', `${what} is damaged: it is not JSON`, { cause: error });
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new FerryError(
    'object-damaged',
    `${what} is damaged: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
  );
}

const DEPTH_MAX = 64;
const [QUOTE, BACKSLASH] = [0x22, 0x5c];
/** `[` and `{`, `]` and `}`. */
const OPENS: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSES: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Whoever looks through a value as deep as its writer likes comes to the end of the stack. */
function isTooDeep(bytes: Uint8Array): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === QUOTE) isInText = !isInText;
    else if (isInText && byte === BACKSLASH) at += 1;
    else if (!isInText && OPENS.has(byte)) depth += 1;
    else if (!isInText && CLOSES.has(byte)) depth -= 1;
    if (depth > DEPTH_MAX) return true;
  }
  return false;
}
