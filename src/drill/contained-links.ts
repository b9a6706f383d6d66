/**
 * In a sandbox every link leads into the sandbox. A snapshot brings links as they were, and a command of the product
 * would write through one that still leads to an original of this machine, or to whatever its maker likes.
 */
import { posix } from 'node:path';
import { bytePathFromText, type BytePath } from '../base/byte-path.ts';
import { changeLinks } from '../fs/change-links.ts';
import { asOwnerOf } from '../fs/own-file.ts';
import { isWithin } from '../gateway/disk/paths.ts';
import { movePath, type PathMap } from '../gateway/relocate/path-map.ts';

export type LinksPlace = {
  /** The sandbox, by its real name. */
  readonly sandbox: string;
  /** Folders of it that hold what was restored. */
  readonly folders: readonly string[];
  /** The folder that stands for the root of the file system. */
  readonly elsewhere: string;
  readonly map: PathMap;
};

/** May be done again. With no more rights than the sandbox's owner has. */
export function containLinks(place: LinksPlace): void {
  asOwnerOf(bytePathFromText(place.sandbox), () => {
    for (const folder of place.folders) {
      changeLinks(bytePathFromText(folder), (at, target) =>
        bytePathFromText(insideOf(textOf(at), textOf(target), place)),
      );
    }
  });
}

/** Always whole and without `..`: then no link can lead out by way of another. */
function insideOf(at: string, target: string, { sandbox, elsewhere, map }: LinksPlace): string {
  const wanted = posix.resolve(posix.dirname(at), target);
  if (isWithin(sandbox, wanted)) return wanted;
  const moved = target.startsWith('/') ? (movePath(map, wanted) ?? wanted) : OUTSIDE;
  return isWithin(sandbox, moved) || PROGRAMS.test(moved) ? moved : elsewhere + moved;
}

const textOf = (path: BytePath): string => Buffer.from(path, 'latin1').toString('utf8');

/** Of one that climbs out, nobody knows what it meant on the old machine. */
const OUTSIDE = '/outside';
/** What plugins and the like are linked to, and nobody writes to. */
const PROGRAMS = /^\/(bin|lib|lib32|lib64|libx32|nix|sbin|snap|usr|Applications|Library|System)\//;
