/** The newest drill that the repository tells of, as far as whoever asks can open its records. */
import type { History } from '../../repository/history.ts';
import type { LastDrill } from '../output/keeping/drill-summary.ts';

export function lastDrillOf({ drills }: Pick<History, 'drills'>): LastDrill | null {
  const last = drills.at(-1);
  if (!last) return null;
  const { time, passed, snapshot, install, machine, doctor, restoreMs } = last.body;
  const of = { snapshot: snapshot.snapshot, install, machine };
  return { time, passed, ...of, doctor: doctor.ran, restoreMs, ranBy: last.ranBy };
}
