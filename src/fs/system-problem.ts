/** What a system code means to a person, in the middle of a sentence about a file. */
export function describeSystemCode(code: string): string {
  return TEXTS[code] ?? `cannot be read (${code})`;
}

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EIO: 'the disk reports a read error',
  ENAMETOOLONG: 'the path is longer than the system can open',
  ESTALE: 'the network file system lost it',
};
