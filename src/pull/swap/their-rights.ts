/**
 * Root at work for somebody: what lies in folders of theirs is edited and moved with their rights. Whatever they put in
 * the place of a folder meanwhile then leads no further than they could go themselves.
 */
import type { BytePath } from '../../base/byte-path.ts';
import { FerryError, messageOf, systemCode } from '../../base/errors.ts';
import { asUser, strangerAbove } from '../../fs/own-file.ts';
import type { FolderOwner } from '../../fs/swap-steps.ts';

/**
 * As root where one of these places is not in their hands.
 * @throws target-unsafe when it is more than they may
 */
export function withTheirRights<T>(
  owner: FolderOwner,
  places: readonly BytePath[],
  work: () => T,
): T {
  if (!owner || !places.every((place) => strangerAbove(place) === owner.uid)) return work();
  try {
    return asUser(owner, work);
  } catch (error) {
    if (!['EACCES', 'EPERM'].includes(systemCode(error) ?? '')) throw error;
    throw new FerryError(
      'target-unsafe',
      `whose home it is may not do that there: ${messageOf(error)}`,
      { hint: 'Was something moved meanwhile? Run the same again.', cause: error },
    );
  }
}
