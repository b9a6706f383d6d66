/** From counts to rate and time left. Pure: times come in. */
import { bytesText, countText, durationText } from './text/words.ts';
import type { FerryEvent } from '../../base/events.ts';

export type Progress = Extract<FerryEvent, { readonly type: 'progress' }>;

/** The rate is of this long a stretch, so that it follows what happens now. */
const WINDOW_MS = 15_000;

export class Meter {
  #stage = '';
  #samples: { readonly atMs: number; readonly bytes: number }[] = [];

  /** The line for this moment. */
  line(progress: Progress, nowMs: number): string {
    if (progress.stage !== this.#stage) {
      this.#stage = progress.stage;
      this.#samples = [];
    }
    this.#samples.push({ atMs: nowMs, bytes: progress.bytesDone });
    while ((this.#samples[0]?.atMs ?? nowMs) < nowMs - WINDOW_MS) this.#samples.shift();
    const isDone = progress.totalsKnown && progress.bytesDone >= progress.bytesTotal;
    const rate = isDone ? undefined : this.#bytesPerSecond();
    const parts = [
      `${progress.stage} ${amountText(progress)}`,
      ...doneText(progress),
      ...movedText(progress),
      ...(rate === undefined ? [] : [`${bytesText(rate)}/s`]),
      ...leftText(progress, rate),
    ];
    return parts.join(' · ');
  }

  #bytesPerSecond(): number | undefined {
    const [first] = this.#samples;
    const last = this.#samples.at(-1);
    if (!first || !last || last.atMs - first.atMs < 500) return undefined;
    return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
  }
}

function amountText({ bytesDone, bytesTotal, totalsKnown }: Progress): string {
  if (!totalsKnown && bytesTotal === 0) return '…';
  if (!totalsKnown) return `${bytesText(bytesDone)} of at least ${bytesText(bytesTotal)}`;
  const percent = bytesTotal === 0 ? 100 : Math.floor((bytesDone * 100) / bytesTotal);
  return `${percent} % · ${bytesText(bytesDone)} of ${bytesText(bytesTotal)}`;
}

/** What is counted at each stage, where it is not files; a stage that counts nothing says nothing. */
const COUNTED: Readonly<Record<string, readonly [one: string, many: string]>> = {
  capture: ['entry', 'entries'],
  read: ['pack', 'packs'],
  mirror: ['object', 'objects'],
};

function doneText({ stage, filesDone }: Progress): string[] {
  const [one, many] = COUNTED[stage] ?? ['file', 'files'];
  return filesDone === 0 ? [] : [countText(filesDone, one, many)];
}

function movedText({ bytesStored }: Progress): string[] {
  return bytesStored === undefined ? [] : [`${bytesText(bytesStored)} moved`];
}

function leftText(progress: Progress, rate: number | undefined): string[] {
  if (!progress.totalsKnown || rate === undefined || rate < 1) return [];
  const leftMs = ((progress.bytesTotal - progress.bytesDone) * 1000) / rate;
  return leftMs < 1000 ? [] : [`${durationText(leftMs)} left`];
}
