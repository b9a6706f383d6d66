/** The gateways of the home that is meant, and which of them a person names. */
import { FerryError } from '../base/errors.ts';
import type { AskDeps } from '../gateway/discover/ask-product.ts';
import { discoverInstalls, type DiscoverRequest } from '../gateway/discover/discover.ts';
import { findOldHome } from '../gateway/discover/old-home.ts';
import { mountedDisk, type Mount } from '../gateway/disk/disk.ts';
import { normalizePath } from '../gateway/disk/paths.ts';
import { realPath } from '../gateway/disk/read.ts';
import type { Brand } from '../gateway/install/brands.ts';
import type { Install } from '../gateway/install/install.ts';
import { runProcess } from '../process/run.ts';
import { tellingRunner } from '../process/under-way.ts';
import { knownBrands } from '../settings/brands-file.ts';
import { variablesForOthers } from '../settings/environment.ts';
import { productAnswers } from '../settings/product-answers.ts';
import type { GatewayLine } from './output/status/gateway-line.ts';
import type { Session } from './session.ts';

/** @param about what to ask the products' own commands, which takes seconds; absent: nothing */
export function discoverRequest(session: Session, about?: AskDeps['about']): DiscoverRequest {
  const { environment, places } = session;
  const env = variablesForOthers(environment);
  const { home, owner, actsForOther } = environment;
  const brands = knownBrands(places);
  const mount = mountOf(session, brands);
  if (mount) {
    // Neither variables nor commands of this machine say anything about another one's gateways.
    return { home: mount.oldHome, disk: mountedDisk(mount), env: {}, brands, uid: owner.uid };
  }
  return {
    home,
    env,
    brands,
    uid: owner.uid,
    ...(about && {
      cli: {
        about,
        run: tellingRunner(runProcess, session.clock, session.emit),
        env,
        memory: productAnswers(environment, session.places),
        ...(actsForOther && { owner }),
      },
    }),
  };
}

export async function installsHere(session: Session, about?: AskDeps['about']): Promise<Install[]> {
  const request = discoverRequest(session, about);
  if (request.disk?.mount) session.emit(mountedNotice(request.disk.mount));
  return discoverInstalls(request, session.signal);
}

/** A home that nobody of this machine lives in is on another machine's disk, unless its own files say otherwise. */
function mountOf(session: Session, brands: readonly Brand[]): Mount | undefined {
  const { environment, options } = session;
  const told = options.oldHome === undefined ? undefined : normalizePath(options.oldHome);
  if (told === undefined && environment.isHomeHere) return undefined;
  const homeAt = realPath(environment.home);
  const found = told === undefined ? findOldHome(homeAt, brands) : { oldHome: told, isSaid: true };
  return found.oldHome === homeAt && found.isSaid ? undefined : { ...found, homeAt };
}

const mountedNotice = ({ oldHome, homeAt }: Mount) =>
  ({
    type: 'notice',
    code: 'mounted-disk',
    message: `${homeAt} is read as the home ${oldHome} of another machine; nothing outside that disk is`,
    hint: `Was it called otherwise there, or is it a home of this machine: --old-home ${homeAt}`,
  }) as const;

/**
 * The installs that were named, or all local ones; a client of a remote gateway is noted and skipped.
 * @param machines names of this machine, for `install@machine`
 * @throws install-not-found, remote-mode
 */
export function chooseInstalls(
  session: Session,
  installs: readonly Install[],
  names: readonly string[],
  machines: readonly string[],
): Install[] {
  if (names.length > 0) return names.map((name) => named(installs, name, machines));
  const local = installs.filter((install) => install.mode === 'local');
  if (local.length > 0) {
    for (const install of installs) {
      if (install.mode === 'remote') session.emit(skippedClient(install));
    }
    return local;
  }
  const [client] = installs;
  if (client) throw remote(client);
  throw new FerryError('install-not-found', `no gateway was found in ${session.environment.home}`, {
    hint: 'Run it as the user who runs the gateway, or name the home that is meant: --home DIR',
  });
}

function named(installs: readonly Install[], name: string, machines: readonly string[]): Install {
  const [wanted = '', machine] = name.split('@');
  if (machine !== undefined && !machines.includes(machine)) {
    throw new FerryError(
      'install-not-found',
      `${name} is of another machine; this one is ${machines.join(', ')}`,
      {
        hint: 'Only installs of this machine can be pushed from it.',
      },
    );
  }
  const found = installs.find(({ install }) => install === wanted.replace(/:default$/, ''));
  if (found?.mode === 'remote') throw remote(found);
  if (found) return found;
  const here = installs.map(({ install }) => install).join(', ');
  throw new FerryError(
    'install-not-found',
    `there is no ${name} here${here === '' ? '' : `; there is ${here}`}`,
    { hint: 'stateferry gateways lists the installs of this machine and how they are known.' },
  );
}

const skippedClient = (install: Install) =>
  ({
    type: 'notice',
    code: 'remote-mode',
    message: `${install.install} is only a client of a gateway at ${install.remoteUrl ?? 'another host'}: skipped`,
    hint: 'Run stateferry on that host: its sessions and workspaces live there.',
  }) as const;

function remote(install: Install): FerryError {
  return new FerryError(
    'remote-mode',
    `${install.install} is only a client of a gateway at ${install.remoteUrl ?? 'another host'}`,
    { hint: 'Run stateferry on that host: its sessions and workspaces live there.' },
  );
}

export function gatewayLine(install: Install): GatewayLine {
  const { notices } = install;
  return {
    install: install.install,
    brand: install.brand,
    profile: install.profile,
    stateDir: install.stateDir,
    configPath: install.configPath,
    workspaces: install.workspaces,
    agents: install.agents.map(({ id, sessions }) => ({ id, sessions })),
    version: install.version ?? null,
    mode: install.mode,
    remoteUrl: install.remoteUrl ?? null,
    running: install.running,
    service: install.service ? { kind: install.service.kind, name: install.service.name } : null,
    why: install.why,
    readFrom: install.readFrom ?? null,
    notices: notices.map(({ code, message, hint }) => ({ code, message, hint: hint ?? null })),
  };
}

export function sayNotices(session: Session, installs: readonly Install[]): void {
  for (const { install, notices } of installs) {
    for (const { code, message, hint } of notices) {
      const said = `${install}: ${message}`;
      session.emit({ type: 'notice', code, message: said, ...(hint !== undefined && { hint }) });
    }
  }
}
