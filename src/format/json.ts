/** JSON parts of the format, checked by zod; what does not fit is `object-damaged` with the place. */
import type { z } from 'zod';
import { FerryError } from '../base/errors.ts';
import { fromUtf8 } from '../base/bytes.ts';

export function parseJson<S extends z.ZodType>(
  schema: S,
  bytes: Uint8Array,
  what: string,
): z.infer<S> {
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
