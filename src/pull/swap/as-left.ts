/**
 * How a pull left what it placed. As long as it is still so, pulling the same snapshot again would bring nothing, and
 * would only move aside what is there; with one new turn it is another matter.
 */
import { bytePathFromText, type BytePath } from '../../base/byte-path.ts';
import { standsThere } from '../../fs/identity.ts';
import { isOwn } from '../../fs/own-file.ts';
import { omitRules } from '../../gateway/contents/omit-rules.ts';
import type { PullPlan } from '../plan/landing.ts';
import {
  installNames,
  journalsIn,
  writeJournal,
  type Journal,
  type JournalFile,
} from './journal.ts';
import { fingerprintTrees } from './tree-fingerprint.ts';

/** The last pull of these installs, if it placed just what is planned now, and nothing has changed since. */
export function stillAsLeft(directory: string, plans: readonly PullPlan[]): Journal | undefined {
  const done = journalsIn(directory).filter(isInPlace);
  const lastOf = ({ install }: PullPlan) =>
    done.findLast((one) => installNames(one).includes(install))?.journal;
  const [first] = plans;
  const last = first && lastOf(first);
  if (last?.asLeft === undefined) return undefined;
  const isAll = plans.every((plan) => lastOf(plan) === last && isOfPlan(last, plan));
  const isThere = last.steps.every(
    (step) => step.kind !== 'place' || !step.identity || standsThere(step.identity, step.to),
  );
  return isAll && isThere && last.asLeft === fingerprintOf(last) ? last : undefined;
}

function isOfPlan({ installs }: Journal, plan: PullPlan): boolean {
  const own = installs.find(({ install }) => install === plan.install);
  const planned = new Set(plan.placed.map(({ root, to }) => `${root} ${to}`));
  return (
    own?.snapshot === plan.snapshot &&
    JSON.stringify(own.mapped) === JSON.stringify(plan.mapped) &&
    own.placed.length === planned.size &&
    own.placed.every(({ root, to }) => planned.has(`${root} ${to}`))
  );
}

/** Also when what was there before is gone for good. */
const isInPlace = ({ journal: { state } }: JournalFile): boolean =>
  state === 'done' || state === 'discarded';

/** At the end of a pull, after its doctor and its gateway have changed what they change. */
export function rememberAsLeft(directory: string, { time, stamp }: Journal): void {
  const own = journalsIn(directory).find(
    (one) => isInPlace(one) && one.journal.time === time && one.journal.stamp === stamp,
  );
  if (!own || !isOwn(own.file)) return;
  writeJournal(own.file, { ...own.journal, asLeft: fingerprintOf(own.journal) });
}

/** Names, kinds, modes, sizes and times of all that was placed, but for what a gateway writes without a turn. */
function fingerprintOf({ steps, installs }: Journal): string {
  const states = new Set(installs.map(({ gateway }) => bytePathFromText(gateway.stateDir)));
  const places = steps.flatMap((step) => (step.kind === 'place' ? [step.to] : []));
  return fingerprintTrees(places, (place) => (states.has(place) ? { omit: omitted } : {}));
}

const STATE_RULES = omitRules('state');

function omitted(path: BytePath, type: 'file' | 'dir' | 'symlink'): string | undefined {
  return path === 'logs' ? 'written all the time' : STATE_RULES.omissionFor(path, type);
}
