/** Telling somebody: a command, a webhook, a ping. What does not arrive is answered in words and never fails a job. */
import type { Clock } from '../base/clock.ts';
import { FerryError } from '../base/errors.ts';
import type { ProcessRunner } from '../process/run.ts';
import { noticeText, noticeVariables, pingAddress, webhookBody, type Notice } from './notice.ts';
import { post } from './post.ts';
import type { Notify } from './record.ts';

export type TellDeps = {
  readonly run: ProcessRunner;
  /** For the command; ours is added. */
  readonly env: Readonly<Record<string, string>>;
  /** Whose words the command is, where root is at work for somebody: it has their rights. */
  readonly owner?: { readonly uid: number; readonly gid: number };
  readonly clock: Clock;
};

const COMMAND_TIMEOUT_MS = 60_000;

/** @param isGood how the whole run went, for the ping; undefined: none is sent */
export async function tellAll(
  { command, webhook, ping }: Notify,
  notices: readonly Notice[],
  isGood: boolean | undefined,
  deps: TellDeps,
  signal: AbortSignal,
): Promise<string[]> {
  const complaints: (string | undefined)[] = [];
  for (const notice of notices) {
    if (command !== undefined) complaints.push(await runCommand(command, notice, deps, signal));
    if (webhook !== undefined) {
      const body = { type: 'application/json', text: webhookBody(notice) };
      complaints.push(said('the webhook', await post(webhook, body, deps.clock, signal)));
    }
  }
  if (ping !== undefined && isGood !== undefined) {
    const text = notices.map(noticeText).join('\n');
    const body = { type: 'text/plain; charset=utf-8', text };
    const why = await post(pingAddress(ping, isGood), body, deps.clock, signal);
    complaints.push(said('the ping address', why));
  }
  return complaints.filter((one) => one !== undefined);
}

const said = (who: string, why: string | undefined): string | undefined =>
  why === undefined ? undefined : `${who} ${why}`;

/** Through the shell, as people write such commands; the line for a person is on its standard input. */
async function runCommand(
  command: string,
  notice: Notice,
  { run, env, owner }: TellDeps,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { exit, timedOut } = await run('/bin/sh', ['-c', command], {
      env: { ...env, ...noticeVariables(notice) },
      timeoutMs: COMMAND_TIMEOUT_MS,
      stdin: `${noticeText(notice)}\n`,
      signal,
      ...(owner && { owner }),
    });
    if (exit === 0) return undefined;
    return timedOut ? 'the command took too long' : `the command ended with ${exit ?? 'a signal'}`;
  } catch (error) {
    if (!(error instanceof FerryError) || error.code !== 'gateway-command') throw error;
    return 'the command could not be started';
  }
}
