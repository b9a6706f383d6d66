/** Units of systemd and property lists of launchd, as far as they tell which gateway they start. Pure text. */

export type ServiceText = {
  /** Program and arguments of what is started. */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Files with more of the environment, as written. */
  readonly environmentFiles: readonly string[];
  readonly workingFolder: string | undefined;
  readonly user: string | undefined;
};

/** A unit and its drop-ins, in that order. An empty value takes back what a list had before it. */
export function parseUnit(texts: readonly string[]): ServiceText {
  const found = new Map<string, string[]>();
  for (const text of texts) {
    for (const [, key = '', value = ''] of text.replaceAll(/\\\r?\n/g, ' ').matchAll(SETTING)) {
      const before = found.get(key) ?? [];
      found.set(key, value.trim() === '' ? [] : [...before, value.trim()]);
    }
  }
  const valuesOf = (key: string): string[] => found.get(key) ?? [];
  const assignments = valuesOf('Environment').flatMap(wordsOf);
  return {
    // `-`, `@`, `:`, `+` and `!` before the program change how it is run, not what.
    command: wordsOf(
      valuesOf('ExecStart')
        .at(-1)
        ?.replace(/^[-@:+!]+/, '') ?? '',
    ),
    environment: Object.fromEntries(assignments.flatMap(assignmentOf)),
    environmentFiles: valuesOf('EnvironmentFile').map((path) => path.replace(/^-/, '')),
    workingFolder: valuesOf('WorkingDirectory').at(-1)?.replace(/^-/, ''),
    user: valuesOf('User').at(-1),
  };
}

const SETTING =
  /^[ \t]*(Environment|EnvironmentFile|ExecStart|User|WorkingDirectory)[ \t]*=(.*)$/gm;

/** Words as systemd splits them: quoted or not, `%%` is a per cent sign. */
function wordsOf(text: string): string[] {
  const word = /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\S+)/g;
  return [...text.matchAll(word)].map((match) =>
    (match[1] ?? match[2] ?? match[3] ?? '').replaceAll('%%', '%'),
  );
}

function assignmentOf(text: string): [string, string][] {
  const equals = text.indexOf('=');
  return equals > 0 ? [[text.slice(0, equals), text.slice(equals + 1)]] : [];
}

/** A property list in XML; a binary one tells nothing. */
export function parsePlist(text: string): ServiceText {
  const after = (key: string, kind: string): string | undefined =>
    new RegExp(`<key>${key}</key>\\s*<${kind}>([^]*?)</${kind}>`).exec(text)?.[1];
  const strings = (block: string | undefined): string[] =>
    [...(block ?? '').matchAll(/<string>([^<]*)<\/string>/g)].map((one) =>
      unescapeXml(one[1] ?? ''),
    );
  const pairs = (after('EnvironmentVariables', 'dict') ?? '').matchAll(
    /<key>([^<]*)<\/key>\s*<string>([^<]*)<\/string>/g,
  );
  const program = after('Program', 'string');
  const command = strings(after('ProgramArguments', 'array'));
  const text1 = (key: string): string | undefined => {
    const value = after(key, 'string');
    return value === undefined ? undefined : unescapeXml(value);
  };
  return {
    command: command.length > 0 ? command : program === undefined ? [] : [unescapeXml(program)],
    environment: Object.fromEntries(
      [...pairs].map((pair) => [unescapeXml(pair[1] ?? ''), unescapeXml(pair[2] ?? '')]),
    ),
    environmentFiles: [],
    workingFolder: text1('WorkingDirectory'),
    user: text1('UserName'),
  };
}

const unescapeXml = (text: string): string =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&apos;', "'")
    .replaceAll('&amp;', '&');
