/**
 * The keys that the chunk ids of landed installs are under. A machine may land an install before it joins: they are
 * kept until it does, and given back when the pull is undone.
 */
import { fromHex, toHex } from '../../base/bytes.ts';
import { withLanded, type MachineState } from '../../repository/machine.ts';
import type { Pulled } from '../../pull/pull.ts';
import type { SnapshotReader } from '../../repository/snapshot-reader.ts';
import type { LandedSettings, SettingsData } from '../../settings/schema.ts';
import type { Settings } from '../../settings/settings.ts';
import type { Session } from '../session.ts';

/** What landed goes on under the key of its snapshot, from the next push on. */
export function rememberLanded(
  { settings }: Session,
  repository: string,
  all: readonly Pulled[],
  snapshots: readonly SnapshotReader[],
): void {
  for (const { plan, landed, undone } of all) {
    const snapshot = snapshots.find(({ cover }) => cover.id === plan.snapshot);
    if (!landed || undone || !snapshot) continue;
    const { install } = plan;
    settings.update((data) => {
      const source = snapshot.body.install.install;
      const chunkIdKey = toHex(snapshot.chunkIdKey);
      const known = data.landed?.find((other) => isOf(other, repository, install));
      // Landed once more: what was there before the first time counts.
      const isSame = known?.chunkIdKey === chunkIdKey;
      const before = isSame ? known.before : keysBefore(data, repository, install);
      const one = { repository, install, source, chunkIdKey, before };
      const others = (data.landed ?? []).filter((other) => !isOf(other, repository, install));
      return inMachines({ ...data, landed: [...others, one] }, repository, (machine) =>
        withOne(machine, one),
      );
    });
  }
}

/** A machine that joins takes over what landed on it before. */
export const withLandedBefore = ({ settings }: Session, machine: MachineState): MachineState =>
  (settings.data.landed ?? [])
    .filter(({ repository }) => repository === machine.repository)
    .reduce(withOne, machine);

/** What was here before the pull is here again. */
export function forgetLanded(settings: Settings, install: string): void {
  settings.update((data) => {
    const gone = (data.landed ?? []).filter((one) => one.install === install);
    const landed = (data.landed ?? []).filter((one) => one.install !== install);
    return gone.reduce<SettingsData>(
      (now, one) => inMachines(now, one.repository, (machine) => without(machine, one)),
      { ...data, landed },
    );
  });
}

const isOf = (one: LandedSettings, repository: string, install: string): boolean =>
  one.repository === repository && one.install === install;

const withOne = (machine: MachineState, one: LandedSettings): MachineState =>
  withLanded(machine, { ...one, chunkIdKey: fromHex(one.chunkIdKey) });

function without(machine: MachineState, { install, before }: LandedSettings): MachineState {
  const { [install]: _landed, ...others } = machine.chunkIdKeys ?? {};
  const text = before[machine.writer.id];
  return { ...machine, chunkIdKeys: { ...others, ...(text !== undefined && { [install]: text }) } };
}

/** By writer: this machine may have joined the same repository at several places. */
const keysBefore = (
  { repositories }: SettingsData,
  repository: string,
  install: string,
): LandedSettings['before'] =>
  Object.fromEntries(
    repositories.flatMap(({ machine }) => {
      const text = machine?.chunkIdKeys?.[install];
      const isMeant = machine?.repository === repository && text !== undefined;
      return isMeant ? [[machine.writer.id, text]] : [];
    }),
  );

const inMachines = (
  data: SettingsData,
  repository: string,
  change: (machine: MachineState) => MachineState,
): SettingsData => ({
  ...data,
  repositories: data.repositories.map((one) =>
    one.machine?.repository === repository ? { ...one, machine: change(one.machine) } : one,
  ),
});
