/**
 * Gateways that this version does not know by itself: `brands.json` beside the settings. A file of its own, since a
 * person writes it, and copies it to the new machine before anything else is there.
 */
import { readFileSync } from 'node:fs';
import { FerryError, systemCode } from '../base/errors.ts';
import { brandListSchema, brandsWith, type Brand } from '../gateway/install/brands.ts';
import { reasonOf } from './file-failure.ts';
import type { Places } from './places.ts';

/** @throws file-unreadable */
export function knownBrands({ brandsFile }: Pick<Places, 'brandsFile'>): readonly Brand[] {
  const text = readIfAny(brandsFile);
  if (text === undefined) return brandsWith([]);
  const checked = brandListSchema.safeParse(parse(text, brandsFile));
  if (checked.success) return brandsWith(checked.data);
  const [issue] = checked.error.issues;
  const where = issue?.path.length ? `${issue.path.join('.')}: ` : '';
  throw unreadable(brandsFile, `${where}${issue?.message ?? 'not as expected'}`);
}

function readIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unreadable(path, reasonOf(error), error);
  }
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(path, 'it is not JSON', error);
  }
}

function unreadable(path: string, why: string, cause?: unknown): FerryError {
  return new FerryError('file-unreadable', `the brands in ${path} cannot be read: ${why}`, {
    hint: 'It is a list of brands, each with at least a name: [{"name": "mybot"}]',
    cause,
  });
}
