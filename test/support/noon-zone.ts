/**
 * A time zone in which it is noon now: what is due at half past three does not become due in the middle of a test,
 * whenever that runs.
 */
export function noonZone(): string {
  const behind = new Date().getUTCHours() - 12;
  return `Etc/GMT${behind < 0 ? '' : '+'}${behind}`;
}
