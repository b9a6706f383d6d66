/**
 * Installs that land together may have places in common: a profile's workspace lies in the state dir of the default
 * one, the approvals of all profiles too, two may share a workspace. Each place is brought once: by the install that it
 * belongs to, or where it belongs to all, by the newest snapshot.
 */
import { asBytePath, bytePathFromText, joinBytes, type BytePath } from '../../base/byte-path.ts';
import { FerryError } from '../../base/errors.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import { lookAt, type Piece } from './pieces.ts';

export type Claim = { readonly snapshot: SnapshotReader; readonly pieces: readonly Piece[] };

/** Pieces of each claim, in its order: less what another one brings. @throws target-unsafe */
export async function settleSharing(claims: readonly Claim[]): Promise<Piece[][]> {
  const settled = claims.map(({ pieces }) => pieces.map((piece) => ({ ...piece })));
  for (const [index, claim] of claims.entries()) {
    for (const piece of settled[index] ?? []) {
      for (const [other, holder] of claims.entries()) {
        if (other === index) continue;
        for (const outer of settled[other] ?? []) await settle(claim, piece, holder, outer);
      }
    }
  }
  return settled;
}

type Settling = Piece & { without?: readonly BytePath[]; isBrought?: boolean };

async function settle(
  claim: Claim,
  piece: Settling,
  holder: Claim,
  outer: Settling,
): Promise<void> {
  if (outer.isBrought === true || piece.isBrought === true) return;
  if (piece.to === outer.to && (piece.only === undefined) === (outer.only === undefined)) {
    settleSame(claim, piece, holder, outer);
    return;
  }
  const paths = outer.only === undefined ? placesIn(outer, piece) : [];
  if (paths.length === 0) return;
  const found = await Promise.all(paths.map((path) => lookAt(holder.snapshot, outer.root, path)));
  const isThereAll = found.every((entry) => entry !== undefined);
  if (piece.root.kind === SHARED && isThereAll && !isNewer(claim, holder)) piece.isBrought = true;
  else outer.without = [...(outer.without ?? []), ...paths];
}

/** What every profile reads, whoever it was captured with. */
const SHARED = 'shared';

function settleSame(claim: Claim, piece: Settling, holder: Claim, other: Settling): void {
  if (piece.root.kind === 'state' || other.root.kind === 'state') throw twoStates(piece);
  const names = new Set(other.only);
  if (piece.only && !piece.only.some((name) => names.has(name))) return;
  if (isNewer(claim, holder)) other.isBrought = true;
  else piece.isBrought = true;
}

/** Where in the outer root the piece lies; none: it does not. */
function placesIn(outer: Piece, { to, only }: Piece): BytePath[] {
  if (to !== outer.to && !to.startsWith(`${outer.to}/`)) return [];
  const rest = bytePathFromText(to.slice(outer.to.length + 1));
  const at = outer.below === '' ? rest : joinBytes(outer.below, rest);
  return only?.map((name) => joinBytes(asBytePath(at), name)) ?? [at];
}

const isNewer = (one: Claim, other: Claim): boolean =>
  one.snapshot.cover.cover.time > other.snapshot.cover.cover.time;

const twoStates = ({ to }: Piece): FerryError =>
  new FerryError('target-unsafe', `two installs would both land on ${to}`, {
    hint: 'Nothing was changed. Pull them one by one: --install INSTALL',
  });
