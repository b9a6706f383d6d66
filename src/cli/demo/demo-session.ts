/** A session as one of the demo's two users would have it. */
import type { GlobalOptions } from '../global-options.ts';
import type { Output } from '../output/output.ts';
import { sessionIn, type Session } from '../session.ts';
import type { Report, RunVerb, Values } from '../verb.ts';
import type { DemoPlaces, DemoUser } from './demo-places.ts';

export type Demo = {
  readonly session: Session;
  readonly places: DemoPlaces;
  /** Folders with the product's command, in front of the PATH. */
  readonly path: readonly string[];
};

/** Runs one verb as that user, with its own settings, and says the command line that would do it. */
export async function runAs(
  { session, places, path }: Demo,
  user: DemoUser,
  verb: { readonly line: string; readonly run: RunVerb },
  args: readonly string[],
  values: Values = {},
): Promise<Report> {
  session.output.step(`${user.name}$ ${verb.line}`);
  const options: GlobalOptions & Values = {
    ...values,
    color: false,
    yes: true,
    repository: [places.repository],
    passphraseFile: places.passphraseFile,
  };
  const { output, sinks, signal, environment } = session;
  const variables = {
    PATH: [...path, environment.variables['PATH'] ?? ''].join(':'),
    HOME: user.home,
    LANG: environment.variables['LANG'] ?? 'C.UTF-8',
    // Where the products put their locks: another gateway of this machine has nothing to do with the demo.
    TMPDIR: places.folder,
  };
  const own = { repository: undefined, passphrase: undefined, passphraseFile: undefined };
  const inner = sessionIn(
    {
      ...environment,
      variables,
      home: user.home,
      isHomeHere: true,
      actsForOther: false,
      workingFolder: places.folder,
      own: { ...own, home: user.settings, recoveryCode: undefined, readerKeyFile: undefined },
    },
    options,
    { output: quieter(output), sinks, signal },
  );
  try {
    return await verb.run({ args, options }, inner);
  } finally {
    await inner.close();
  }
}

/** Advice for later would only confuse here; the checklist comes at the end. */
function quieter(output: Output): Output {
  return {
    ...output,
    plan: () => undefined,
    emit: (event) => {
      if (event.type !== 'notice' && event.type !== 'check') output.emit(event);
    },
  };
}
