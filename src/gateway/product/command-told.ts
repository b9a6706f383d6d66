/** What a product's command did, in a few words and within bounds: it may hang, or print anything and any amount. */
import type { Emit } from '../../base/events.ts';
import type { RunResult } from '../../process/run.ts';
import type { Brand } from '../install/brands.ts';

const LINE_CHARS_MAX = 200;
const OUTPUT_CHARS_MAX = 64 * 1024;

/** `no answer within 120 s`, `exit 1: systemctl failed`. */
export function toldBy({ exit, signal, stdout, stderr, timedOut, durationMs }: RunResult): string {
  if (timedOut) return `no answer within ${Math.round(durationMs / 1000)} s`;
  const how = exit === null ? `ended by ${signal ?? 'a signal'}` : `exit ${exit}`;
  const said = firstLine(stderr) ?? firstLine(stdout);
  return said === undefined ? `${how}, nothing said` : `${how}: ${said}`;
}

export function emitCommand(
  emit: Emit,
  cli: { readonly brand: Brand },
  args: readonly string[],
  result: Pick<RunResult, 'exit' | 'durationMs' | 'stdout' | 'stderr'>,
): void {
  const { exit, durationMs, stdout, stderr } = result;
  emit({
    type: 'command',
    command: [cli.brand.command, ...args].join(' '),
    exit,
    durationMs: Math.round(durationMs),
    output: shortened(stderr === '' ? stdout : `${stdout}\n${stderr}`),
  });
}

function shortened(output: string): string {
  if (output.length <= OUTPUT_CHARS_MAX) return output;
  const left = output.length - OUTPUT_CHARS_MAX;
  return `${output.slice(0, OUTPUT_CHARS_MAX)}\n… and ${left} characters more`;
}

/** The first that names an error, else the first that says anything. */
function firstLine(text: string): string | undefined {
  const lines = text.split('\n', 50).filter((one) => /\w/.test(one));
  const line = lines.find((one) => /error|fail/i.test(one)) ?? lines[0];
  return line?.trim().slice(0, LINE_CHARS_MAX);
}
