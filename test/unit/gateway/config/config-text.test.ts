import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  fillVariables,
  loadConfig,
  variablesIn,
} from '../../../../src/gateway/config/config-text.ts';
import { parseDotenv } from '../../../../src/gateway/config/variables.ts';

const reader =
  (files: Readonly<Record<string, string>>) =>
  (path: string | Buffer): Buffer | undefined => {
    const text = files[path.toString()];
    return text === undefined ? undefined : Buffer.from(text);
  };

test('includes are merged as the products do it: lists join, objects merge, siblings win', () => {
  const config = loadConfig(
    '/s/main.json',
    reader({
      '/s/main.json': `{ $include: ['./a.json5', 'sub/b.json'], gateway: { port: 1 }, n: { "$include": "./c.json" } }`,
      '/s/a.json5': `{ gateway: { port: 2, mode: 'local' }, list: [1], }`,
      '/s/sub/b.json': `{"list": [2], "deep": {"$include": "../c.json"}}`,
      '/s/c.json': `{"x": 1}`,
    }),
  );
  assert.deepEqual(config.problems, []);
  assert.deepEqual(config.value, {
    gateway: { port: 1, mode: 'local' },
    list: [1, 2],
    deep: { x: 1 },
    n: { x: 1 },
  });
  assert.deepEqual(config.files.map((file) => [file.path, file.mount.join('.')]).toSorted(), [
    ['/s/a.json5', ''],
    ['/s/c.json', 'deep'],
    ['/s/c.json', 'n'],
    ['/s/main.json', ''],
    ['/s/sub/b.json', ''],
  ]);
});

test('loops, missing files and broken files are problems with names, never endless', () => {
  const config = loadConfig(
    '/s/main.json',
    reader({
      '/s/main.json': `{ a: { $include: './main.json' }, b: { $include: './gone.json' },
        c: { $include: './bad.json' }, d: { $include: 7 }, ok: 1 }`,
      '/s/bad.json': '{',
    }),
  );
  assert.equal(config.value['ok'], 1);
  assert.equal(config.problems.length, 4);
  for (const word of ['itself', 'gone.json', 'bad.json', 'neither']) {
    assert.ok(
      config.problems.some((problem) => problem.includes(word)),
      word,
    );
  }
});

test('a chain of includes ends at the products’ limit', () => {
  const files = Object.fromEntries(
    Array.from({ length: 20 }, (_, at) => [
      `/s/${at}.json`,
      `{"$include": "./${at + 1}.json", "n${at}": 1}`,
    ]),
  );
  const config = loadConfig('/s/0.json', reader(files));
  assert.equal(config.files.length, 11);
  assert.match(config.problems.join(), /deeper than 10/);
});

test('no config is an answer, a broken one a problem', () => {
  assert.equal(loadConfig('/none', reader({})).exists, false);
  const broken = loadConfig('/s', reader({ '/s': '{"a": ' }));
  assert.deepEqual([broken.exists, broken.value, broken.problems.length], [true, {}, 1]);
});

test('variables: filled, escaped, missing', () => {
  assert.equal(fillVariables('${A}/x', { A: '/a' }), '/a/x');
  assert.equal(fillVariables('$${A}', {}), '${A}');
  assert.equal(fillVariables('${B}', {}), undefined);
  assert.equal(fillVariables('${lower}', {}), '${lower}');
  assert.deepEqual(variablesIn('${A} $${B} ${C_1}'), ['A', 'C_1']);
});

test('.env as dotenv reads it', () => {
  const text = `# no\nA=1\nexport B = "two words" # said\nC='it''s'\nD=\nE=a#b\n F="x\\ny"\r\nG=\`b\`\n`;
  const values = parseDotenv(text);
  assert.equal(values['A'], '1');
  assert.equal(values['B'], 'two words');
  assert.equal(values['D'], '');
  assert.equal(values['F'], 'x\ny');
  assert.equal(values['G'], 'b');
});
