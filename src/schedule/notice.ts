/** What is told about a job, and in which words each way of telling wants it: those of `status`, so no secrets. */
import type { Notify } from './record.ts';

export type Notice = {
  readonly event: 'installed' | 'failed' | 'recovered';
  readonly machine: string;
  readonly job: string;
  readonly time: string;
  readonly code: string | undefined;
  readonly message: string | undefined;
};

/** One line for a person. */
export function noticeText({ event, machine, job, message }: Notice): string {
  const what = {
    installed: `notifications of ${job} come here from now on`,
    failed: `${job} FAILED: ${message ?? 'without a word'}`,
    recovered: `${job} works again`,
  }[event];
  return onOneLine(`stateferry on ${machine}: ${what}`);
}

/** `text` is what Slack and its like show, `content` what Discord does. */
export const webhookBody = (notice: Notice): string => {
  const text = noticeText(notice);
  const { code, message, ...rest } = notice;
  return JSON.stringify({
    ...rest,
    code: code ?? null,
    message: message ?? null,
    text,
    content: text,
  });
};

/** On one line: what stores and strangers say may hold anything, also what no variable can. */
const onOneLine = (text: string): string => text.replaceAll(CONTROLS, ' ');
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/g;

export const noticeVariables = (notice: Notice): Record<string, string> => ({
  STATEFERRY_EVENT: notice.event,
  STATEFERRY_JOB: notice.job,
  STATEFERRY_MACHINE: onOneLine(notice.machine),
  STATEFERRY_CODE: notice.code ?? '',
  STATEFERRY_MESSAGE: onOneLine(notice.message ?? ''),
});

/** The address of a check that waits for a sign of life: itself when all went well, `/fail` below it when not. */
export function pingAddress(ping: string, isGood: boolean): string {
  if (isGood) return ping;
  const url = new URL(ping);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/fail`;
  return url.href;
}

/** As it may be shown: who has the whole address can post there. */
export function maskedAddress(address: string): string {
  const { protocol, host } = new URL(address);
  return `${protocol}//${host}/…`;
}

/** Ways of telling, for people. */
export function waysOfTelling({ command, webhook, ping }: Notify): string[] {
  return [
    ...(command === undefined ? [] : ['a command']),
    ...(webhook === undefined ? [] : [`a webhook at ${maskedAddress(webhook)}`]),
    ...(ping === undefined ? [] : [`a ping to ${maskedAddress(ping)}`]),
  ];
}
