/** The words of a line as a shell would see them, as far as pages and examples go: blanks and single quotes. */
export function shellWords(line: string): string[] {
  const words = line.match(/'[^']*'|\S+/g) ?? [];
  return words.map((word) => word.replace(/^'(.*)'$/, '$1'));
}
