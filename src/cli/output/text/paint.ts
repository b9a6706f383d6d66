/** Three colours, and none where they are not wanted. */

export type Paint = {
  bad(text: string): string;
  good(text: string): string;
  dim(text: string): string;
};

export function paintFor(color: boolean): Paint {
  const with_ = (code: number) => (text: string) =>
    color ? `\u001b[${code}m${text}\u001b[0m` : text;
  return { bad: with_(31), good: with_(32), dim: with_(2) };
}
