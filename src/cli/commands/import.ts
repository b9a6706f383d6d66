/** import: archives of an install that somebody made with tar become a snapshot. */
import { resolve } from 'node:path';
import { FerryError } from '../../base/errors.ts';
import { runProcess } from '../../process/run.ts';
import { knownBrands } from '../../settings/brands-file.ts';
import { emptyScratch } from '../../settings/scratch.ts';
import { importArchives } from '../../transfer/import.ts';
import { argumentList, textOption } from '../call.ts';
import { startCost } from '../cost.ts';
import { rememberPush } from '../push/push-installs.ts';
import { writerAt } from '../places/repositories.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runImport(call: Call, session: Session): Promise<Report> {
  const costUntilNow = startCost(session);
  const install = textOption(call, 'as');
  if (install === undefined) {
    throw new FerryError('usage', 'import needs --as INSTALL: which install is in the archives', {
      hint: 'A brand, and a profile if there was one: --as openclaw or --as resonix:work',
    });
  }
  const location = meantLocation(session);
  session.settings.lock();
  const { environment, places, clock, random, emit, tool, signal } = session;
  const inFull = (path: string): string => resolve(environment.workingFolder, path);
  const oldHome = textOption(call, 'oldHome');
  const repository = await writerAt(session, location);
  const imported = await importArchives(
    {
      archives: argumentList(call, 0).map(inFull),
      install,
      oldHome,
      brands: knownBrands(places),
      label: textOption(call, 'label'),
      scratch: emptyScratch(places, environment),
      tool,
    },
    { repository, clock, random, emit, run: runProcess },
    signal,
  );
  rememberPush(session, location, imported);
  const { home, stateDir, roots, ...snapshot } = imported;
  return {
    exit: imported.problems.length > 0 ? 3 : 0,
    summary: {
      verb: 'import',
      snapshots: [snapshot],
      home,
      stateDir,
      roots,
      ...costUntilNow([repository.store]),
    },
  };
}
