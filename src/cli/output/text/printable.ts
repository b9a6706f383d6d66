/** Text that a terminal may see: names and messages come from strangers, and control characters move cursors. */

/** One line: every control character as `\xHH`. */
export function printableLine(text: string): string {
  return text.replaceAll(CONTROLS, escaped);
}

/** Several lines: the same, but lines and tabs stay. */
export function printableText(text: string): string {
  return text.replaceAll(CONTROLS, (char) =>
    char === '\n' || char === '\t' ? char : escaped(char),
  );
}

/** JSON on one line. What JSON itself lets through (DEL and the C1 controls) a terminal would still obey. */
export function jsonLine(value: unknown): string {
  return `${JSON.stringify(value).replaceAll(CONTROLS_IN_JSON, (char) => `\\u${hex(char, 4)}`)}\n`;
}

/** C0, DEL, C1, and what turns the direction of text round. */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
const CONTROLS_IN_JSON = /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;

const escaped = (char: string): string =>
  char.charCodeAt(0) < 0x100 ? `\\x${hex(char, 2)}` : `\\u${hex(char, 4)}`;

const hex = (char: string, digits: number): string =>
  char.charCodeAt(0).toString(16).padStart(digits, '0');
