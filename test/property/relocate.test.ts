/** Moving an install's texts there and back is the identity, and a move changes nothing but the paths that moved. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import JSON5 from 'json5';
import { bytePathFromText } from '../../src/base/byte-path.ts';
import { pathMap, type PathRule } from '../../src/gateway/relocate/path-map.ts';
import { applyRelocation, planRelocation } from '../../src/gateway/relocate/relocate.ts';
import type { RelocationRequest } from '../../src/gateway/relocate/relocation.ts';

const stage = mkdtempSync(join(tmpdir(), 'relocate-property-'));
after(() => rmSync(stage, { recursive: true, force: true }));

/** Where the install is: each is a home, a state dir and a workspace outside of the home. */
const HOMES = {
  linux: { home: '/home/al', state: '/home/al/.openclaw', outside: '/srv/work space' },
  mac: { home: '/Users/Al Bo', state: '/Users/Al Bo/.openclaw', outside: '/Volumes/x' },
  custom: { home: '/root', state: '/data/claw', outside: '/mnt/d\u00e9j\u00e0 vu' },
} as const;
type Home = (typeof HOMES)[keyof typeof HOMES];

const rulesOf = (from: Home, to: Home): PathRule[] => [
  { from: from.state, to: to.state },
  { from: from.outside, to: to.outside },
  { from: from.home, to: to.home },
];

const requestOf = (from: Home, to: Home): RelocationRequest => ({
  roots: [
    { path: bytePathFromText(from.state), aliases: [], at: bytePathFromText(`${stage}/state`) },
  ],
  map: pathMap(rulesOf(from, to)),
  oldHome: from.home,
  newHome: to.home,
  stateDir: from.state,
  configPath: `${from.state}/openclaw.json`,
  agents: [{ id: 'main', sessionsDir: `${from.state}/agents/main/sessions` }],
});

/** A value that a config can have: inside of what moves, beside it, or no path at all. */
const valueIn = (home: Home): fc.Arbitrary<string> => {
  const rest = fc
    .array(fc.stringMatching(/^[a-zA-Z0-9 _'"\u00e9-]{1,6}$/), { maxLength: 3 })
    .map((parts) => parts.map((part) => `/${part}`).join(''));
  const base = fc.constantFrom(home.home, home.state, home.outside, '/opt/else', '~');
  const suffix = fc.constantFrom('', 'ice', '.bak', '-work');
  return fc.oneof(
    fc.tuple(base, suffix, rest).map((parts) => parts.join('')),
    rest.map((text) => '${HOME}' + text),
    fc.string({ maxLength: 8 }),
  );
};

type Written = { readonly text: string; readonly index: string };

/** A config as a person writes it: any quotes, comments between, keys that hold paths and keys that do not. */
const writtenIn = (home: Home): fc.Arbitrary<Written> => {
  const quoted = fc
    .tuple(valueIn(home), fc.boolean())
    .map(([value, single]) =>
      single
        ? `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
        : JSON.stringify(value),
    );
  const comment = fc.constantFrom('', ` // ${home.home}\n`, `/* "${home.state}" */`, '\n\n', '\t');
  return fc
    .record({
      values: fc.array(quoted, { minLength: 6, maxLength: 6 }),
      comment,
      file: valueIn(home),
    })
    .map(({ values: [a, b, c, d, e, f], comment: blank, file }) => ({
      text: `{ ${blank} agents: { defaults: { workspace: ${a}, },${blank}
        list: [ { id: 'main', agentDir: ${b}, name: ${c} } ] },
        "logging": { file: ${d} }, channels: { telegram: { botToken: ${e}, tokenFile: ${f} } }, ${blank} }`,
      index: JSON.stringify(
        { one: { sessionId: 'x', sessionFile: file, note: file } },
        undefined,
        1,
      ),
    }));
};

function put({ text, index }: Written): void {
  rmSync(`${stage}/state`, { recursive: true, force: true });
  mkdirSync(`${stage}/state/agents/main/sessions`, { recursive: true });
  writeFileSync(`${stage}/state/openclaw.json`, text);
  writeFileSync(`${stage}/state/agents/main/sessions/sessions.json`, index);
}

const got = (): Written => ({
  text: readFileSync(`${stage}/state/openclaw.json`, 'utf8'),
  index: readFileSync(`${stage}/state/agents/main/sessions/sessions.json`, 'utf8'),
});

const pairs = fc.constantFrom(
  [HOMES.linux, HOMES.mac] as const,
  [HOMES.mac, HOMES.linux] as const,
  [HOMES.linux, HOMES.custom] as const,
);
const move = pairs.chain(([from, to]) =>
  fc.record({ from: fc.constant(from), to: fc.constant(to), written: writtenIn(from) }),
);
/** What is already in the new place would not come back from there. */
const isElsewhere = (to: Home, { text, index }: Written): boolean =>
  rulesOf(to, to).every(({ from }) => !`${text}${index}`.includes(from));

test('property: there and back again is the identity, byte for byte', () => {
  let moved = 0;
  fc.assert(
    fc.property(move, ({ from, to, written }) => {
      fc.pre(isElsewhere(to, written));
      put(written);
      const plan = planRelocation(requestOf(from, to));
      applyRelocation(plan);
      moved += plan.edits.length;
      const back = { ...requestOf(to, from) };
      applyRelocation(planRelocation(back));
      // An edit writes its literal in one way; what it means is what must come back.
      const now = got();
      assert.deepEqual(JSON5.parse(now.text), JSON5.parse(written.text));
      assert.deepEqual(JSON.parse(now.index), JSON.parse(written.index));
      if (!/\\/.test(written.text)) assert.equal(now.text, written.text);
    }),
    { numRuns: 150 },
  );
  assert.ok(moved > 50, `${moved} paths were moved`);
});

test('property: outside of the literals that the plan names, no byte changes', () => {
  let moved = 0;
  fc.assert(
    fc.property(move, ({ from, to, written }) => {
      put(written);
      const plan = planRelocation(requestOf(from, to));
      applyRelocation(plan);
      const now = got();
      const before = [written.text, written.index].map((text) => Buffer.from(text));
      for (const [index, name] of ['openclaw.json', 'sessions.json'].entries()) {
        const edits = plan.edits
          .flatMap((edit) => (edit.kind === 'literal' && edit.file.endsWith(name) ? [edit] : []))
          .toSorted((a, b) => a.start - b.start);
        moved += edits.length;
        const bytes = before[index] ?? Buffer.alloc(0);
        const kept: string[] = [];
        let at = 0;
        for (const { start, end } of edits) {
          kept.push(bytes.subarray(at, start).toString('utf8'));
          at = end;
        }
        kept.push(bytes.subarray(at).toString('utf8'));
        let rest = index === 0 ? now.text : now.index;
        for (const piece of kept) {
          const found = rest.indexOf(piece);
          assert.ok(found >= 0, `${piece} is still there`);
          rest = rest.slice(found + piece.length);
        }
        for (const { from: old, to: next } of edits) assert.notEqual(old, next);
      }
    }),
    { numRuns: 150 },
  );
  assert.ok(moved > 50, `${moved} paths were moved`);
});
