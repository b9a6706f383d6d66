/**
 * Other installs of this machine have places inside of what a pull replaces: the workspace of a profile lies in the
 * state dir of the default one. They stay: a pull of one install takes nothing from another.
 */
import {
  bytePathFromText,
  joinBytes,
  showPath,
  toFsPath,
  type BytePath,
} from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import { rootsOf } from '../../gateway/contents/roots.ts';
import { inspectInstalls } from '../../gateway/discover/discover.ts';
import { lstatIfAny, realPath } from '../../gateway/disk/read.ts';
import type { Notice } from '../../gateway/install/install.ts';
import { movePath } from '../../gateway/relocate/path-map.ts';
import { lookAt, pathIn, type Piece } from '../places/pieces.ts';
import type { Meant } from './meant.ts';

export type Kept = {
  /** Of every install, in their order: without what stays. */
  readonly pieces: readonly (readonly Piece[])[];
  readonly stays: readonly BytePath[];
  readonly notices: readonly Notice[];
};

export async function keepNeighbours(
  meant: readonly Meant[],
  settled: readonly (readonly Piece[])[],
  signal: AbortSignal,
): Promise<Kept> {
  const replaced = settled.flat().filter(isReplaced);
  const stays = new Map<BytePath, string>();
  const { places, notices } = await neighboursOf(replaced.length === 0 ? [] : meant, signal);
  for (const place of places) {
    const holders = replaced.filter(({ to }) => place.path.startsWith(`${bytePathFromText(to)}/`));
    const isPulled =
      settled.flat().some((piece) => isPartOf(place.path, piece)) || isUsed(place.path, meant);
    if (holders.length === 0 || isPulled) continue;
    if (place.isShared && (await isBrought(place.path, meant, settled))) continue;
    stays.set(place.path, place.install);
  }
  // What lies in another one comes with it.
  const outermost = [...stays].filter(
    ([path]) => !stays.keys().some((other) => path.startsWith(`${other}/`)),
  );
  const paths = outermost.map(([path]) => path);
  return {
    pieces: settled.map((pieces) => pieces.map((piece) => less(piece, paths))),
    stays: paths,
    notices: [
      ...notices,
      ...outermost.map(([path, install]) => ({
        code: 'neighbour-stays',
        message: `${showPath(path)} belongs to ${install} and stays as it is`,
      })),
    ],
  };
}

/** An agent that is pulled works there: then it comes with the snapshot, as everything else of it. */
const isUsed = (path: BytePath, meant: readonly Meant[]): boolean =>
  meant.some(({ record, map }) =>
    record.agents.some(
      ({ workspace }) => bytePathFromText(movePath(map, workspace) ?? workspace) === path,
    ),
  );

/** A folder that will be moved aside; behind a link nothing is moved. */
const isReplaced = ({ only, to }: Piece): boolean =>
  only === undefined && lstatIfAny(toFsPath(bytePathFromText(to)))?.isDirectory() === true;

/** A place that is pulled itself is replaced as it always is. */
function isPartOf(path: BytePath, { to, only, root }: Piece): boolean {
  if (root.kind === 'state') return false;
  const at = bytePathFromText(to);
  return only ? only.some((name) => path === joinBytes(at, name)) : path === at;
}

type Place = { readonly path: BytePath; readonly install: string; readonly isShared: boolean };

type Neighbours = { readonly places: readonly Place[]; readonly notices: readonly Notice[] };

/** One that cannot be read is no reason to pull nothing: what it has there is moved aside, and not lost. */
async function neighboursOf(meant: readonly Meant[], signal: AbortSignal): Promise<Neighbours> {
  try {
    return { places: await neighbourPlaces(meant, signal), notices: [] };
  } catch (error) {
    if (!(error instanceof FerryError) || error.code !== 'file-unreadable') throw error;
    const message = `other installs of this home cannot be looked at: ${error.message}`;
    const hint = 'What they have in folders that are replaced is moved aside with these.';
    return { places: [], notices: [{ code: 'neighbours-unknown', message, hint }] };
  }
}

async function neighbourPlaces(meant: readonly Meant[], signal: AbortSignal): Promise<Place[]> {
  const [first] = meant;
  if (!first) return [];
  const { home, env, uid, brands } = first.request.site;
  const family = brands.filter(({ name }) =>
    meant.some(({ identity }) => identity.brand.name === name),
  );
  const found = await inspectInstalls({ home, env, uid, brands: family }, signal);
  const landing = new Set(
    meant.map(({ record, map }) => realPath(movePath(map, record.stateDir) ?? record.stateDir)),
  );
  return found
    .filter(({ install }) => !landing.has(realPath(install.stateDir)))
    .flatMap((inspected) =>
      rootsOf(inspected).roots.flatMap(({ path, only, kind }) => {
        const paths = only?.map((name) => joinBytes(path, name)) ?? [path];
        const { install } = inspected.install;
        return paths.map((one) => ({ path: one, install, isShared: kind === 'shared' }));
      }),
    )
    .filter(({ path }) => lstatIfAny(toFsPath(path)) !== undefined);
}

/** Does a snapshot of this pull bring something to that place? */
async function isBrought(
  place: BytePath,
  meant: readonly Meant[],
  settled: readonly (readonly Piece[])[],
): Promise<boolean> {
  for (const [index, { snapshot }] of meant.entries()) {
    for (const piece of settled[index] ?? []) {
      const inside = pathIn(piece, place);
      if (inside !== undefined && (await lookAt(snapshot, piece.root, inside))) return true;
    }
  }
  return false;
}

const less = (piece: Piece, stays: readonly BytePath[]): Piece => {
  const inside = stays.flatMap((path) => pathIn(piece, path) ?? []);
  return inside.length === 0 ? piece : { ...piece, without: [...(piece.without ?? []), ...inside] };
};
