/** forget --missing and forget SNAPSHOT…: what the owner gives up, each with its cost, by a word that is typed. */
import { FerryError, isObjectFault } from '../../base/errors.ts';
import type { Emit, FerryEvent } from '../../base/events.ts';
import { parseWriterObjectName } from '../../format/names.ts';
import {
  giveUp,
  type GiveUpPlan,
  type GivenUp,
  type NamedSnapshot,
} from '../../maintenance/forget/give-up.ts';
import type { History } from '../../repository/history.ts';
import type { ReaderRepository } from '../../repository/open.ts';
import { readListOf } from '../../repository/pack-lists.ts';
import type { StoredSnapshot } from '../../repository/snapshot-list.ts';
import { printLocation } from '../../store/location.ts';
import { argumentList, flag } from '../call.ts';
import { exitOfProblems } from './checking.ts';
import { confirm, confirmByWord } from '../confirm.ts';
import { startCost } from '../cost.ts';
import { refuseRolledBack } from './forget-guards.ts';
import { seenAt } from '../looking/history.ts';
import { historyAt, snapshotLine } from '../looking/listing.ts';
import type { ForgetPlanShown } from '../output/keeping/forget-summary.ts';
import { readerAt } from '../places/repositories.ts';
import { meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runGiveUp(call: Call, session: Session): Promise<Report> {
  refuseRules(call);
  const costUntilNow = startCost(session);
  const { emit, random, signal, output } = session;
  const location = meantLocation(session);
  const repository = await readerAt(session, location);
  const { store } = repository;
  const unreadable: Problem[] = [];
  const hear: Emit = (event) => {
    if (event.type === 'problem') unreadable.push(event);
    emit(event);
  };
  const { lack, ...history } = await historyAt(session, location, repository, hear);
  const named: NamedSnapshot[] = [];
  for (const typed of argumentList(call, 0)) {
    named.push(await namedBy(typed, { repository, history, unreadable }, signal));
  }
  const missing = flag(call, 'missing');
  const dryRun = flag(call, 'dryRun');
  const oldVersions = (await store.oldVersions?.(signal)) ?? null;
  const shown = (plan: GiveUpPlan): ForgetPlanShown => ({
    verb: 'forget',
    repository: printLocation(location),
    ...planShown(plan, history),
    oldVersions,
  });
  const approve = async (plan: GiveUpPlan): Promise<void> => {
    output.plan(shown(plan));
    if (!missing && plan.named.some(isWhole)) await refuseRolledBack(session, lack);
    const isLoss = plan.lost.length > 0 || !plan.named.every(isWhole);
    if (isLoss) await confirmByWord(session, 'Give this up for good?', 'lost');
    else await confirm(session, 'Forget this for good?');
  };
  const given = await giveUp(
    { history, marks: seenAt(session, location), missing, named, dryRun },
    { repository, random, emit, approve },
    signal,
  );
  if (dryRun) output.plan(shown(given.plan));
  return {
    exit: exitOfProblems(given.refused),
    summary: {
      ...shown(given.plan),
      ...(dryRun && { dryRun }),
      ...doneOf(given),
      prune: null,
      ...costUntilNow([store]),
    },
  };
}

/** @throws usage: rules say what stays, and these say what goes */
function refuseRules({ options }: Call): void {
  const isRule = ([name, value]: [string, unknown]): boolean =>
    (name.startsWith('keep') || name === 'install') && value !== undefined;
  if (!Object.entries(options).some(isRule)) return;
  throw new FerryError('usage', 'keep rules and what is named to go exclude each other', {
    hint: 'Run it twice: once with the rules, once with --missing or the ids of snapshots.',
  });
}

type Problem = Extract<FerryEvent, { type: 'problem' }>;

type Place = {
  readonly repository: ReaderRepository;
  readonly history: History;
  readonly unreadable: readonly Problem[];
};

/** @throws snapshot-not-found, usage; format-too-new for what only this version cannot read */
async function namedBy(
  typed: string,
  { repository, history, unreadable }: Place,
  signal: AbortSignal,
): Promise<NamedSnapshot> {
  if (/^latest/i.test(typed)) {
    throw new FerryError('usage', `forget takes ids: what ${typed} is changes with every push`, {
      hint: 'stateferry snapshots lists them with their ids.',
    });
  }
  const isMeant = (name: string): boolean => {
    const parsed = parseWriterObjectName(name);
    return parsed?.folder === 'snapshots' && parsed.id.startsWith(typed.toLowerCase());
  };
  const readable = history.snapshots.filter(({ name }) => isMeant(name));
  const damaged = unreadable.filter(({ path }) => isMeant(path));
  const count = readable.length + damaged.length;
  const [snapshot] = readable;
  const [problem] = damaged;
  if (count === 1 && problem) return unreadableAt(problem);
  if (count === 1 && snapshot) return withItsList(repository, snapshot, signal);
  const how = count === 0 ? 'no snapshot has' : `${count} snapshots have`;
  throw new FerryError('snapshot-not-found', `${how} an id that begins with ${typed}`, {
    hint: 'stateferry snapshots lists them, and stateferry check names those that cannot be read.',
  });
}

/** @throws format-too-new */
function unreadableAt({ path, code, message }: Problem): NamedSnapshot {
  if (code === 'format-too-new') throw new FerryError(code, message);
  return { name: path, why: message };
}

/** One whose list is gone does not tell a prune what it needs, and may restore all the same. */
async function withItsList(
  repository: ReaderRepository,
  snapshot: StoredSnapshot,
  signal: AbortSignal,
): Promise<NamedSnapshot> {
  const { name } = snapshot;
  try {
    await readListOf(repository, snapshot, signal);
    return { name, snapshot };
  } catch (error) {
    if (!isObjectFault(error) || error.code === 'format-too-new') throw error;
    const why = `${error.message}; a pull may restore it all the same, as long as its packs are there`;
    return { name, snapshot, why };
  }
}

const isWhole = ({ why }: NamedSnapshot): boolean => why === undefined;

/** No rule counts here, so no other time does. */
const asItSays = (one: StoredSnapshot) => ({ ...snapshotLine(one), countsAs: one.cover.time });

function planShown({ lost, named }: GiveUpPlan, { snapshots }: History) {
  const going = new Set(named.map(({ name }) => name));
  const whole = named.flatMap(({ why, snapshot }) =>
    why === undefined && snapshot ? [snapshot] : [],
  );
  return {
    kept: snapshots
      .filter(({ name }) => !going.has(name))
      .map((one) => ({ ...asItSays(one), reasons: [] })),
    forgotten: whole.map((one) => ({
      ...asItSays(one),
      reasons: [{ rule: 'named' as const }],
    })),
    tickets: 0,
    unusual: [],
    lost,
    damaged: named.flatMap(({ name, why }) =>
      why === undefined ? [] : [{ object: name, message: why }],
    ),
  };
}

const doneOf = ({ records, deleted, refused, left }: GivenUp) => ({
  records,
  deleted: { snapshots: deleted.length, tickets: 0 },
  refused,
  left,
});
