/** `--json`: one JSON value a line. */
import type { Output, Sinks } from './output.ts';
import { failureJson } from './failure.ts';
import { jsonLine } from './text/printable.ts';

/** @param stop ends a command whose answer does not arrive any more */
export function jsonOutput(sinks: Sinks, stop: (why: Error) => void): Output {
  let lines = sinks.stdout;
  let isPayloadThere = false;
  const stopIfOver = (): void => {
    const why = sinks.stdout.over();
    if (why) stop(why);
  };
  const say = (value: unknown): void => lines.write(jsonLine(value));
  return {
    emit: say,
    step: (text) => say({ type: 'step', text }),
    plan: (plan) => say({ type: 'plan', ...plan }),
    item: (item) => {
      say(item);
      stopIfOver();
    },
    payload: async (bytes) => {
      lines = sinks.stderr;
      isPayloadThere ||= bytes.length > 0;
      await sinks.stdout.writeBytes(bytes);
      stopIfOver();
    },
    finish: (summary, exit) => {
      const { verb, ...fields } = summary;
      say({ type: 'summary', verb, ok: exit === 0, exit, ...fields });
    },
    // Nothing of the payload is there yet: then the failure is the answer.
    fail: (failure) => {
      const answer = isPayloadThere ? lines : sinks.stdout;
      (answer.over() ? sinks.stderr : answer).write(failureJson(failure));
    },
  };
}
