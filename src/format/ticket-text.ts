/** Texts quote what somebody typed, and a ticket may be typed where none belongs. */
export const withoutTickets = (text: string): string =>
  text.replaceAll(/sft\d[0-9A-Za-z]{40,}/gi, 'sft1…');
