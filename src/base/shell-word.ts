/** A path as one word of a command that people copy into a shell. */
import { bytePathFromText, showPath, type BytePath } from './byte-path.ts';

/** For any shell, whatever bytes a name has. */
export function shellWord(path: BytePath): string {
  const text = Buffer.from(path, 'latin1').toString('utf8');
  if (bytePathFromText(text) === path && showPath(path).replaceAll('\\\\', '\\') === text) {
    return `'${text.replaceAll("'", `'\\''`)}'`;
  }
  const escaped = Array.from(path, (char) => {
    const code = char.charCodeAt(0);
    const isPlain = /[A-Za-z0-9/._ -]/.test(char);
    return isPlain ? char : `\\${code.toString(8).padStart(3, '0')}`;
  });
  return `"$(printf '${escaped.join('')}')"`;
}
