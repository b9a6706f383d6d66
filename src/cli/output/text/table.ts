/** Columns, as wide as their widest cell. */

export type Column = { readonly title: string; readonly right?: boolean };

export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const titles = columns.map((column) => column.title);
  const widths = titles.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? '').length)),
  );
  return [titles, ...rows].map((row) =>
    columns
      .map((column, at) => {
        const cell = row[at] ?? '';
        const width = widths[at] ?? 0;
        return column.right === true ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
