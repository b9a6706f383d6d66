/** JSON that is taken as it was written: what a world opens was sealed or signed by a program that checked it. */
import type { z } from 'zod';
import { fromUtf8 } from '../../../src/base/bytes.ts';
import { FerryError } from '../../../src/base/errors.ts';

export function parseJson<S extends z.ZodType>(
  _schema: S,
  bytes: Uint8Array,
  what: string,
): z.infer<S> {
  try {
    // What reads it a second time is not under test here.
    return JSON.parse(fromUtf8(bytes)) as z.infer<S>;
  } catch (error) {
    throw new FerryError('object-damaged', `${what} is damaged: it is not JSON`, { cause: error });
  }
}
