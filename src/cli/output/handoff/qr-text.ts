/** A QR code in half blocks: two rows of modules a line. */

/** Modules of light around it, which cameras look for. */
const QUIET = 4;
/** Indexed by upper light ×2 + lower light: what is light is drawn, as terminals are dark. */
const BLOCKS = [' ', '▄', '▀', '█'];
const WHITE_ON_BLACK = '\u001b[97;40m';
const AS_BEFORE = '\u001b[0m';

export const qrColumns = (code: readonly unknown[]): number => code.length + 2 * QUIET;

/** @param color whether the terminal can be told what light and dark are; else it must be a dark one */
export function qrText(code: readonly (readonly boolean[])[], color: boolean): string {
  const isLight = (x: number, y: number): boolean => code[y - QUIET]?.[x - QUIET] !== true;
  const columns = Array.from({ length: qrColumns(code) }, (_, x) => x);
  const lines: string[] = [];
  for (let y = 0; y < columns.length; y += 2) {
    const line = columns
      .map((x) => BLOCKS[(isLight(x, y) ? 2 : 0) + (isLight(x, y + 1) ? 1 : 0)] ?? '')
      .join('');
    lines.push(color ? `${WHITE_ON_BLACK}${line}${AS_BEFORE}` : line);
  }
  return `${lines.join('\n')}\n`;
}
