/** `stateferry.json`: what this place is. The only object in plain text, and it says nothing secret. */
import { z } from 'zod';
import { utf8 } from '../base/bytes.ts';
import { FerryError } from '../base/errors.ts';
import { checkVersion } from './header.ts';
import { HEADER_NAME } from './names.ts';
import { parseJson } from './json.ts';

const schema = z.object({
  stateferry: z.object({
    format: z.int().positive(),
    repository: z.string().regex(/^[0-9a-f]{32}$/),
  }),
});

export const encodeRepositoryHeader = (repository: string): Uint8Array =>
  utf8(`${JSON.stringify({ stateferry: { format: 1, repository } })}\n`);

/**
 * The repository's id (32 hex digits).
 * @throws repository-missing when this is not a repository's header, format-too-new
 */
export function decodeRepositoryHeader(bytes: Uint8Array): string {
  let header: z.infer<typeof schema>;
  try {
    header = parseJson(schema, bytes, HEADER_NAME);
  } catch (error) {
    throw new FerryError('repository-missing', `${HEADER_NAME} is there but is not one of ours`, {
      hint: 'Check the location: another program may use this place.',
      cause: error,
    });
  }
  checkVersion(header.stateferry.format, HEADER_NAME);
  return header.stateferry.repository;
}
