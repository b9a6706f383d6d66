/**
 * What the home of an install was called on its own machine, when its disk lies somewhere on this one. Its own files
 * say it: services, the config, the session indexes. Nothing is read through a link: it may lead to this machine.
 */
import { FerryError } from '../../base/errors.ts';
import { mountedDisk } from '../disk/disk.ts';
import type { Disk } from '../disk/disk.ts';
import type { Brand } from '../install/brands.ts';
import { readServices, servicesOf } from '../services/services.ts';
import type { FoundService } from '../services/services.ts';
import { homeOf, mostOf, spokenPlaces } from './spoken-places.ts';

export type HomeFound = {
  readonly oldHome: string;
  /** Whether files of an install say so; if not, it is a guess. */
  readonly isSaid: boolean;
};

/** @throws usage where the files speak of several homes */
export function findOldHome(homeAt: string, brands: readonly Brand[]): HomeFound {
  // Under its present name until another is known: what lies elsewhere is not on this disk.
  const disk = mountedDisk({ oldHome: homeAt, homeAt });
  const services = readServices(homeAt, disk);
  const homes = new Map<string, number>();
  for (const home of brands.flatMap((brand) => spokenHomes(homeAt, brand, services, disk))) {
    homes.set(home, (homes.get(home) ?? 0) + 1);
  }
  if (homes.has(homeAt)) return { oldHome: homeAt, isSaid: true };
  const most = mostOf(homes);
  if (most !== undefined) return { oldHome: most, isSaid: true };
  if (homes.size === 0) return { oldHome: TAIL.exec(homeAt)?.[1] ?? homeAt, isSaid: false };
  const list = [...homes.keys()].join(', ');
  throw new FerryError('usage', `what ${homeAt} was on its own machine is not clear: ${list}`, {
    hint: 'Say which it was: --old-home /home/alice',
  });
}

/** A whole disk: the end of the mounted path is where the home was. */
const TAIL = /^\/.+?(\/home\/[^/]+|\/Users\/[^/]+|\/root)$/;

function spokenHomes(
  homeAt: string,
  brand: Brand,
  services: readonly FoundService[],
  disk: Disk,
): string[] {
  const ofServices = servicesOf(services, brand).flatMap(({ environment }) =>
    environment['HOME'] === undefined ? [] : [environment['HOME']],
  );
  const base = brand.stateDirName;
  const stateDirs = disk
    .names(homeAt)
    .filter((name) => name === base || name.startsWith(`${base}-`));
  const fromFiles = stateDirs.flatMap((name) => {
    const stateDir = `${homeAt}/${name}`;
    const names = [brand.configName, ...brand.legacyConfigNames];
    const spoken = spokenPlaces({
      stateDir,
      configName:
        names.find((one) => disk.stat(`${stateDir}/${one}`) !== undefined) ?? brand.configName,
      name,
      agentIds: disk.names(`${stateDir}/agents`),
      read: disk.read,
    });
    const named = [...spoken.stateDirs.keys()].filter((path) => path.endsWith(`/${name}`));
    const homes = named.map((path) => homeOf(path, name));
    if (homes.length > 0) return homes;
    // A path below some home may be anybody's, unless that one has the name of this one.
    const alike = [...spoken.homes.keys()].filter((home) => homeAt.endsWith(lastPart(home)));
    return alike.length > 0
      ? alike
      : [...spoken.paths].flatMap((path) => homeIn(path, homeAt, disk));
  });
  return [...ofServices, ...fromFiles];
}

/** What a path has up to a folder called like this home, if what follows is in it. */
function homeIn(path: string, homeAt: string, disk: Disk): string[] {
  const parts = path.split('/');
  return parts.flatMap((part, index) => {
    if (part !== lastPart(homeAt).slice(1)) return [];
    const rest = parts.slice(index + 1).join('/');
    const isThere = rest !== '' && disk.stat(`${homeAt}/${rest}`) !== undefined;
    return isThere ? [parts.slice(0, index + 1).join('/')] : [];
  });
}

const lastPart = (path: string): string => path.slice(path.lastIndexOf('/'));
