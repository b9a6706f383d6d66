/** What only a running gateway can show: that it runs, its page, its channels. Not started is not failed. */
import { textAt, valueAt } from '../config/config-text.ts';
import type { JsonObject } from '../config/config-text.ts';
import { fetchControlPage } from '../running/control-page.ts';
import { isRunning } from '../running/running.ts';
import type { RunningInput } from '../running/running.ts';
import { channelLine, checkChannels, type ChannelsRequest } from './channels.ts';
import type { CheckLine } from './checklist.ts';
import { notChecked } from './checklist.ts';

export type LiveRequest = Omit<RunningInput, 'signal'> &
  ChannelsRequest & { readonly config: JsonObject };

const RUNNING = { check: 'gateway running', critical: true, expected: 'running' };
const DASHBOARD = { check: 'dashboard opens', critical: true, expected: 'its page' };

/** The same lines where nobody has started it. */
export const linesOfNone = (channels: readonly string[], why: string): CheckLine[] => [
  notChecked(RUNNING, why),
  notChecked(DASHBOARD, why),
  ...channels.map((name) => notChecked(channelLine(name), why)),
];

export async function checkLive(request: LiveRequest, signal: AbortSignal): Promise<CheckLine[]> {
  const running = await isRunning({ ...request, signal });
  const lines: CheckLine[] = [
    { ...RUNNING, ok: running.running, found: running.why },
    await checkPage(request, running.portOpen, signal),
  ];
  const isUp = running.running && running.portOpen;
  const channels = isUp
    ? await checkChannels(request, signal)
    : request.channels.map((name) => notChecked(channelLine(name), 'no gateway to ask'));
  return [...lines, ...channels];
}

async function checkPage(
  { config, port, basePath, brand }: LiveRequest,
  isOpen: boolean,
  signal: AbortSignal,
): Promise<CheckLine> {
  const elsewhere = whyUnseen(config);
  if (elsewhere !== undefined) return notChecked(DASHBOARD, elsewhere);
  if (!isOpen) return { ...DASHBOARD, ok: false, found: `port ${port} closed` };
  const { status, type, title } = await fetchControlPage(port, basePath ?? '', brand.name, signal);
  const isPage = status === 200 && title !== undefined;
  const found = isPage ? title : status === undefined ? 'no answer' : `status ${status}, ${type}`;
  // A gateway that answers otherwise does so on the old machine too: shown, and no reason to undo the move.
  return { ...DASHBOARD, critical: status === undefined, ok: isPage, found };
}

/** The config may have no page, or have it where only others see it. */
function whyUnseen(config: JsonObject): string | undefined {
  if (valueAt(config, ['gateway', 'controlUi', 'enabled']) === false) return 'switched off';
  if (valueAt(config, ['gateway', 'tls', 'enabled']) === true) return 'it speaks TLS';
  const bind = textAt(config, 'gateway', 'bind') ?? 'loopback';
  return ['tailnet', 'custom'].includes(bind) ? `it listens on ${bind} only` : undefined;
}
