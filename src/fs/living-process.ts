/** Whether the process that left something behind is still at work: its number alone may have been given away since. */
import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import { z } from 'zod';
import { systemCode } from '../base/errors.ts';

export const processMarkSchema = z.object({
  pid: z.int().positive(),
  /** As the system tells it; '' where it does not. */
  started: z.string(),
});
export type ProcessMark = z.infer<typeof processMarkSchema>;

export const markOfThisProcess = (): ProcessMark => ({
  pid: process.pid,
  started: startOf(process.pid),
});

/** @param markedMs when the mark was left, for systems that do not tell when a process was started */
export function isAlive(mark: ProcessMark, markedMs: number): boolean {
  if (!processExists(mark.pid)) return false;
  const started = startOf(mark.pid);
  if (started !== '' && mark.started !== '') return started === mark.started;
  return markedMs >= Date.now() - uptime() * 1000;
}

function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/** Boot and clock ticks since then, on Linux. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    // The command name may hold spaces and brackets: fields count from behind its closing one; 22 is the start.
    return `${boot}/${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''}`;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return '';
  }
}
