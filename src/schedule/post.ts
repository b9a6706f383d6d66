/** Posting a notification: a few tries within a minute, and never the address in an answer. */
import type { Clock } from '../base/clock.ts';
import { systemCode, throwIfAborted } from '../base/errors.ts';

const ANSWER_TIMEOUT_MS = 10_000;
const PAUSES_MS = [1_000, 5_000];

/** Answers why it did not arrive; undefined when it did. */
export async function post(
  address: string,
  body: { readonly type: string; readonly text: string },
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const pauseMs of [...PAUSES_MS, undefined]) {
    const answer = await postOnce(address, body, signal);
    throwIfAborted(signal);
    if (answer === undefined || !answer.mayPass || pauseMs === undefined) return answer?.why;
    await clock.sleep(pauseMs, signal);
  }
  return undefined;
}

type Refusal = { readonly why: string; readonly mayPass: boolean };

async function postOnce(
  address: string,
  { type, text }: { readonly type: string; readonly text: string },
  signal: AbortSignal,
): Promise<Refusal | undefined> {
  try {
    const response = await fetch(address, {
      method: 'POST',
      headers: { 'content-type': type, 'user-agent': 'stateferry' },
      body: text,
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    if (response.ok) return undefined;
    const mayPass = response.status >= 500 || response.status === 429;
    return { why: `answered with status ${response.status}`, mayPass };
  } catch (error) {
    // The error's own words may name the address.
    const code =
      systemCode(error) ?? (error instanceof Error ? systemCode(error.cause) : undefined);
    return { why: `gave no answer${code === undefined ? '' : ` (${code})`}`, mayPass: true };
  }
}
