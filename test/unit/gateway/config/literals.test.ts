import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import JSON5 from 'json5';
import { FerryError } from '../../../../src/base/errors.ts';
import { editLiterals, visitStrings } from '../../../../src/gateway/config/literals.ts';

type Found = { path: (string | number)[]; value: string; start: number; end: number };

function literals(text: string): Found[] {
  const found: Found[] = [];
  visitStrings(Buffer.from(text), (literal) => {
    const { start, end } = literal;
    found.push({ path: literal.path(), value: literal.value(), start, end });
  });
  return found;
}

test('every string value is found with its key path, keys are not', () => {
  const text = `// comment "no"
  { a: 'one', "b": [1, 'two', { c: "three" }], /* 'no' */ d: -Infinity, 'e': null, f: "", }`;
  assert.deepEqual(
    literals(text).map(({ path, value }) => [path.join('.'), value]),
    [
      ['a', 'one'],
      ['b.1', 'two'],
      ['b.2.c', 'three'],
      ['f', ''],
    ],
  );
});

test('escapes, continuations, bare keys and wide white space read as JSON5 reads them', () => {
  const text =
    '\uFEFF{\u00a0\\u0061b$_\u00e9: "\\x41\\u00e9\\n\\\nq\\\'\\0\u2028", "k\\"ey": \'"\', c:\u20032 // end';
  const whole = `${text}\n}`;
  const parsed: Record<string, unknown> = JSON5.parse(whole);
  for (const { path, value } of literals(whole)) assert.equal(parsed[String(path[0])], value);
  assert.equal(literals(whole).length, 2);
});

test('property: the same strings at the same places as the json5 parser, however it is written', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), style(), (value, print) => {
      const text = print(value);
      const expected: string[] = [];
      collect(JSON5.parse(text), [], expected);
      const found = literals(text).map(({ path, value }) => JSON.stringify([path, value]));
      assert.deepEqual(found.toSorted(), expected.toSorted());
    }),
    { numRuns: 300 },
  );
});

test('property: an edit changes the one value and not a byte beside it', () => {
  const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.integer(), fc.constant(null));
  const record = fc.dictionary(fc.string({ unit: 'binary' }), fc.array(leaf), {
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(
      record,
      style(),
      fc.string({ unit: 'binary' }),
      fc.nat(),
      (value, print, to, which) => {
        const bytes = Buffer.from(print(value));
        const found = literals(bytes.toString());
        const chosen = found[which % Math.max(found.length, 1)];
        if (chosen === undefined) return;
        const edited = editLiterals(bytes, [{ start: chosen.start, end: chosen.end, to }]);
        const tail = bytes.subarray(chosen.end);
        assert.deepEqual(edited.subarray(0, chosen.start), bytes.subarray(0, chosen.start));
        assert.deepEqual(edited.subarray(edited.length - tail.length), tail);
        const again = literals(edited.toString());
        assert.equal(again.length, found.length);
        const written = again.find((one) => one.start === chosen.start);
        assert.equal(written?.value, Buffer.from(to).toString());
      },
    ),
    { numRuns: 300 },
  );
});

test('the kind of quotes stays', () => {
  const text = `{a: 'x', b: "y"}`;
  const edits = literals(text).map(({ start, end }) => ({ start, end, to: `it's "so"` }));
  assert.equal(
    editLiterals(Buffer.from(text), edits).toString(),
    `{a: 'it\\'s "so"', b: "it's \\"so\\""}`,
  );
});

test('what is no JSON5 is named with its line', () => {
  const broken = ['{', '{a: "x}', '{a: "x" "y"}', '[1, }', '{"a" 1}', '', '{} {}', '['.repeat(600)];
  for (const text of broken) {
    assert.throws(
      () => literals(text),
      (error) => error instanceof FerryError && /line \d/.test(error.message),
      text,
    );
  }
});

test('a large session index is read in one pass', () => {
  const entries = Array.from({ length: 60_000 }, (_, at) => [
    `agent:main:${at}`,
    {
      sessionId: `s-${at}`,
      sessionFile: `/home/al/.openclaw/agents/main/sessions/s-${at}.jsonl`,
      n: at,
    },
  ]);
  const bytes = Buffer.from(JSON.stringify(Object.fromEntries(entries), null, 2));
  let files = 0;
  visitStrings(bytes, (literal) => {
    if (literal.depth === 2 && literal.keyAt(1) === 'sessionFile') files += 1;
  });
  assert.equal(files, 60_000);
});

/** Ways to write the same value. */
function style(): fc.Arbitrary<(value: unknown) => string> {
  return fc.constantFrom(
    (value: unknown) => JSON.stringify(value),
    (value: unknown) => JSON.stringify(value, null, '\t'),
    (value: unknown) => JSON5.stringify(value, null, 2),
    (value: unknown) => JSON5.stringify(value, { quote: "'" }),
    (value: unknown) => `/* {"a": "b"} */ ${JSON5.stringify(value, null, 1)} // 'end'`,
  );
}

function collect(value: unknown, path: (string | number)[], into: string[]): void {
  if (typeof value === 'string') into.push(JSON.stringify([path, value]));
  else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) collect(item, [...path, index], into);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) collect(item, [...path, key], into);
  }
}
