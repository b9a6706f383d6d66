/** The tree of commands: every verb, its options, its help, and global options on either side of it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { parseArguments, type Parsed } from '../../../src/cli/program.ts';
import { VERB_GROUPS, VERBS } from '../../../src/cli/verbs.ts';
import { shellWords } from '../../support/shell-words.ts';

type Line = {
  readonly line: string;
  readonly verb: string;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
};

const LINES: readonly Line[] = [
  {
    line: 'init ./repo --kit kit.txt --machine old',
    verb: 'init',
    args: ['./repo'],
    options: { kit: 'kit.txt', machine: 'old' },
  },
  {
    line: 'join ./repo --machine new',
    verb: 'join',
    args: ['./repo'],
    options: { machine: 'new' },
  },
  { line: 'leave ./repo --dry-run', verb: 'leave', args: ['./repo'], options: { dryRun: true } },
  { line: 'gateways', verb: 'gateways', args: [], options: {} },
  { line: 'status', verb: 'status', args: [], options: {} },
  {
    line: 'handoff openclaw:work --expires 3d --ticket-file t --cancel',
    verb: 'handoff',
    args: ['openclaw:work'],
    options: { expires: '3d', ticketFile: 't', cancel: true },
  },
  {
    line: 'push a b:c --include x --include y --exclude *.log --dry-run --label z',
    verb: 'push',
    args: [['a', 'b:c']],
    options: { include: ['x', 'y'], exclude: ['*.log'], dryRun: true, label: 'z' },
  },
  { line: 'push --all', verb: 'push', args: [[]], options: { all: true } },
  { line: 'backup', verb: 'push', args: [[]], options: {} },
  {
    line: 'pull latest~2 --install o@m --dry-run --no-doctor --no-restart',
    verb: 'pull',
    args: ['latest~2'],
    options: { install: 'o@m', dryRun: true, doctor: false, restart: false },
  },
  {
    line: 'restore --into d --only a/** --only b',
    verb: 'pull',
    args: [undefined],
    options: { into: 'd', only: ['a/**', 'b'], doctor: true, restart: true },
  },
  { line: 'snapshots', verb: 'snapshots', args: [], options: {} },
  { line: 'ls latest:state', verb: 'ls', args: ['latest:state'], options: {} },
  {
    line: 'undo openclaw:work --discard --dry-run',
    verb: 'undo',
    args: ['openclaw:work'],
    options: { discard: true, dryRun: true },
  },
  { line: 'find *.md', verb: 'find', args: ['*.md'], options: {} },
  { line: 'diff a b', verb: 'diff', args: ['a', 'b'], options: {} },
  { line: 'cat a:state/x', verb: 'cat', args: ['a:state/x'], options: {} },
  { line: 'export a -', verb: 'export', args: ['a', '-'], options: {} },
  {
    line: 'import a.tar b.tgz --as openclaw --old-home /home/a',
    verb: 'import',
    args: [['a.tar', 'b.tgz']],
    options: { as: 'openclaw', oldHome: '/home/a' },
  },
  { line: 'check --read-data', verb: 'check', args: [], options: { readData: true } },
  { line: 'check --read-data=5%', verb: 'check', args: [], options: { readData: '5%' } },
  {
    line: 'drill latest~1 --install openclaw@old-mac --folder /mnt/large --report page.txt --keep',
    verb: 'drill',
    args: ['latest~1'],
    options: {
      install: 'openclaw@old-mac',
      folder: '/mnt/large',
      report: 'page.txt',
      keep: true,
    },
  },
  {
    line: 'keys add reader ./drill.key',
    verb: 'keys',
    args: [['add', 'reader', './drill.key']],
    options: {},
  },
  {
    line: 'machines revoke old-mac --last 3f2a',
    verb: 'machines',
    args: [['revoke', 'old-mac']],
    options: { last: '3f2a' },
  },
  {
    line: 'forget --keep-last 3 --keep-within 30d --keep-label a --keep-label b --dry-run',
    verb: 'forget',
    args: [[]],
    options: { keepLast: '3', keepWithin: '30d', keepLabel: ['a', 'b'], dryRun: true },
  },
  {
    line: 'forget 3f2a 1c9e --missing',
    verb: 'forget',
    args: [['3f2a', '1c9e']],
    options: { missing: true },
  },
  {
    line: 'prune --dry-run --grace 30 --accept-missing',
    verb: 'prune',
    args: [],
    options: { dryRun: true, grace: '30', acceptMissing: true },
  },
  {
    line: 'repair --read-data=5% --dry-run',
    verb: 'repair',
    args: [],
    options: { readData: '5%', dryRun: true },
  },
  {
    line: 'mirror /a /b --read-data',
    verb: 'mirror',
    args: ['/a', '/b'],
    options: { readData: true },
  },
  {
    line: 'copy /a /b latest 1f0c --install openclaw --dry-run',
    verb: 'copy',
    args: ['/a', '/b', ['latest', '1f0c']],
    options: { install: 'openclaw', dryRun: true },
  },
  {
    line: 'policy writer --principal old-mac',
    verb: 'policy',
    args: ['writer'],
    options: { principal: 'old-mac' },
  },
  {
    line: 'schedule install --at 02:00 --no-push --keep-daily 7 --check --dry-run',
    verb: 'schedule',
    args: ['install', []],
    options: { at: '02:00', push: false, keepDaily: '7', check: true, dryRun: true },
  },
  { line: 'probe', verb: 'probe', args: [undefined], options: {} },
  {
    line: 'demo --real openclaw@2026.3.2',
    verb: 'demo',
    args: [],
    options: { real: 'openclaw@2026.3.2' },
  },
];

async function parse(argv: readonly string[]): Promise<Extract<Parsed, { kind: 'verb' }>> {
  const parsed = await parseArguments(argv, () => undefined);
  assert.equal(parsed.kind, 'verb');
  assert.ok(parsed.kind === 'verb');
  return parsed;
}

describe('every verb', () => {
  for (const { line, verb, args, options } of LINES) {
    test(line, async () => {
      const parsed = await parse(line.split(' '));
      assert.equal(parsed.verb.usage.split(' ')[0], verb);
      assert.deepEqual(parsed.call.args, args);
      for (const [name, value] of Object.entries(options)) {
        assert.deepEqual(parsed.call.options[name], value, name);
      }
    });
  }

  test('has a line above', () => {
    const covered = new Set(LINES.map(({ verb }) => verb));
    const missing = VERBS.map(({ usage }) => usage.split(' ')[0] ?? '').filter(
      (verb) => !covered.has(verb),
    );
    assert.deepEqual(missing, []);
  });

  for (const verb of VERBS) {
    const name = verb.usage.split(' ')[0] ?? '';
    test(`${name} --help shows its options and its examples`, async () => {
      let text = '';
      const parsed = await parseArguments([name, '--help'], (more) => {
        text += more;
      });
      assert.equal(parsed.kind, 'printed');
      assert.ok(verb.examples.length > 0);
      for (const example of verb.examples) assert.ok(text.includes(example), example);
      for (const { flags } of verb.options ?? []) assert.ok(text.includes(flags), flags);
      assert.match(text, /--passphrase-file/);
    });

    test(`the module of ${name} exports what runs`, async () => {
      assert.equal(typeof (await verb.load()), 'function');
    });
  }

  test('the first page lists every verb under a title, within 80 columns', async () => {
    let text = '';
    await parseArguments(['--help'], (more) => {
      text += more;
    });
    const lines = text.split('\n');
    for (const { title, verbs } of VERB_GROUPS) {
      const at = lines.indexOf(title);
      assert.ok(at > 0, title);
      const end = lines.indexOf('', at);
      const names = lines.slice(at + 1, end).flatMap((line) => /^  (\w+)/.exec(line)?.[1] ?? []);
      assert.deepEqual(
        names,
        verbs.map(({ usage }) => usage.split(' ')[0]),
      );
    }
    const wide = lines.filter((line) => line.length > 80);
    assert.deepEqual(wide, []);
  });

  test('every example is a line that parses', async () => {
    const lines = VERBS.flatMap(({ examples }) => examples);
    assert.ok(lines.length >= VERBS.length);
    for (const example of lines) {
      const words = shellWords(example.replace(/ [|>].*$/, '').replace(/^sudo /, ''));
      assert.equal(words.shift(), 'stateferry', example);
      await parse(words);
    }
  });
});

const GLOBALS: readonly (readonly [readonly string[], string, unknown])[] = [
  [['-r', './a'], 'repository', ['./a']],
  [['--repository', './a', '-r', './b'], 'repository', ['./a', './b']],
  [['--endpoint', 'http://127.0.0.1:1'], 'endpoint', 'http://127.0.0.1:1'],
  [['--region', 'eu-1'], 'region', 'eu-1'],
  [['--addressing', 'path'], 'addressing', 'path'],
  [['--aws-profile', 'p'], 'awsProfile', 'p'],
  [['--passphrase-file', 'f'], 'passphraseFile', 'f'],
  [['--passphrase-command', 'pass show x'], 'passphraseCommand', 'pass show x'],
  [['--recovery-file', 'f'], 'recoveryFile', 'f'],
  [['--reader-key', 'f'], 'readerKey', 'f'],
  [['--home', '/h'], 'home', '/h'],
  [['--json'], 'json', true],
  [['-q'], 'quiet', true],
  [['--verbose'], 'verbose', true],
  [['-v'], 'verbose', true],
  [['--yes'], 'yes', true],
  [['-y'], 'yes', true],
  [['--no-color'], 'color', false],
];

describe('global options', () => {
  for (const [words, name, value] of GLOBALS) {
    test(`${words.join(' ')} before and after the verb`, async () => {
      const before = await parse([...words, 'snapshots']);
      const after = await parse(['snapshots', ...words]);
      assert.deepEqual(before.call.options[name as 'json'], value);
      assert.deepEqual(after.call.options[name as 'json'], value);
    });
  }
});

const WRONG: readonly (readonly [string, RegExp, RegExp])[] = [
  ['nosuch', /unknown command 'nosuch'/, /stateferry --help/],
  ['help nosuch', /there is no verb "nosuch"/, /^$/],
  ['push --nosuch', /unknown option '--nosuch'/, /stateferry push --help/],
  ['init', /missing required argument 'location'/, /stateferry init --help/],
  ['ls a b', /too many arguments/, /stateferry ls --help/],
  ['snapshots --addressing sideways', /Allowed choices are path, virtual/, /stateferry --help/],
  // As a shell leaves "$NAME" where NAME is not set.
  ['pull ', /^<snapshot> is empty$/, /variable of the shell/],
  ['forget a ', /^<snapshot> is empty$/, /variable of the shell/],
  ['pull --into ', /^--into is empty$/, /variable of the shell/],
  ['push a --include  --yes', /^--include is empty$/, /variable of the shell/],
  ['--home  pull', /^--home is empty$/, /variable of the shell/],
  ['forget --keep-fortnightly 2', /unknown option '--keep-fortnightly'/, /forget --help/],
];

describe('what cannot be understood is a usage error with a hint', () => {
  for (const [line, message, hint] of WRONG) {
    test(line, async () => {
      await assert.rejects(
        () => parseArguments(line.split(' '), () => undefined),
        (error: unknown) => {
          assert.ok(error instanceof FerryError);
          assert.equal(error.exit, 2);
          assert.match(error.message, message);
          assert.match(error.hint ?? '', hint);
          return true;
        },
      );
    });
  }
});
