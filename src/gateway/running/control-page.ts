/** The page that a gateway shows at its port: a sign of life that needs no key. */
import { textAt } from '../config/config-text.ts';

export type ControlPage = {
  /** undefined: nobody answered in time. */
  readonly status: number | undefined;
  readonly type: string;
  /** `OpenClaw Control` and the like; undefined when it is another page, or none. */
  readonly title: string | undefined;
};

const PAGE_TIMEOUT_MS = 10_000;
/** The pages of the family are below 1 KiB; a stranger's may be endless. */
const PAGE_BYTES_MAX = 64 * 1024;

/** Where the page is by the config, when not at the top: `/claw`. */
export function pagePathOf(config: unknown): string {
  const path = textAt(config, 'gateway', 'controlUi', 'basePath') ?? '';
  return path === '' ? '' : `/${path.replaceAll(/^\/+|\/+$/g, '')}`;
}

/**
 * @param basePath where the page is, when not at the top: `/claw`
 * @param name of the brand: a fork may call its page otherwise
 */
export async function fetchControlPage(
  port: number,
  basePath: string,
  name: string,
  signal: AbortSignal,
): Promise<ControlPage> {
  const url = `http://127.0.0.1:${port}${basePath}/`;
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PAGE_TIMEOUT_MS)]);
    const answer = await fetch(url, { signal: limit });
    const type = answer.headers.get('content-type') ?? 'no type';
    const text = type.startsWith('text/html') ? await beginningOf(answer) : '';
    return { status: answer.status, type, title: titleOf(text, name) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { status: undefined, type: 'no answer', title: undefined };
  }
}

/** The family calls its page `<Name> Control`. */
function titleOf(html: string, name: string): string | undefined {
  const title = /<title>\s*([^<]{1,200}?)\s*<\/title>/i.exec(html)?.[1];
  const isOurs = /\bcontrol\b/i.test(title ?? '') || title?.toLowerCase().includes(name) === true;
  return isOurs ? title : undefined;
}

async function beginningOf(answer: Response): Promise<string> {
  const reader = answer.body?.getReader();
  const pieces: Uint8Array[] = [];
  for (let bytes = 0; bytes < PAGE_BYTES_MAX;) {
    const piece: unknown = (await reader?.read())?.value;
    if (!(piece instanceof Uint8Array)) break;
    pieces.push(piece);
    bytes += piece.length;
  }
  await reader?.cancel();
  return Buffer.concat(pieces).toString('utf8');
}
