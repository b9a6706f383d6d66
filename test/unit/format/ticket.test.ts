/** One line of text that people paste, break, mistype and forward. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FerryError } from '../../../src/base/errors.ts';
import { fromBase62, toBase62 } from '../../../src/format/base62.ts';
import { looksLikeTicket, parseTicket, printTicket } from '../../../src/format/ticket.ts';
import { fixedBytes } from '../../vectors/stream.ts';
import { TICKETS } from '../../vectors/handoff.ts';

const aws = printTicket(required('AWS, static keys'));

function required(name: string) {
  const ticket = TICKETS[name];
  assert.ok(ticket, name);
  return ticket;
}

describe('its length', () => {
  for (const [name, charactersMax] of [
    ['AWS, static keys', 200],
    ['R2, static keys', 200],
  ] as const) {
    test(`${name}: at most ${charactersMax} characters`, () => {
      const { length } = printTicket(required(name));
      assert.ok(length <= charactersMax, `${length}`);
    });
  }
  test('with a session token it is longer, and still one line', () => {
    const text = printTicket(required('AWS, a session'));
    assert.match(text, /^sft1[0-9A-Za-z]{900,1200}$/);
  });
});

describe('what happens to it on the way', () => {
  const mangled = {
    'line breaks': aws.replaceAll(/(.{40})/g, '$1\r\n'),
    'a quoted mail': `> ${aws.slice(0, 70)}\n> ${aws.slice(70)}`,
    'a code block': `\`\`\`\n${aws}\n\`\`\``,
    'zero-width spaces': aws.replaceAll(/(.{50})/g, '$1\u200b'),
    'quotation marks': `"${aws}"`,
  };
  for (const [what, text] of Object.entries(mangled)) {
    test(`${what} do not matter`, () => {
      assert.deepEqual(printTicket(parseTicket(text)), aws);
    });
  }
});

describe('one typo', () => {
  const places = [4, 5, 14, 15, 60, 100, aws.length - 12, aws.length - 1];
  for (const at of places) {
    test(`a wrong character at ${at} is located`, () => {
      const other = aws[at] === 'x' ? 'y' : 'x';
      const said = refusal(aws.slice(0, at) + other + aws.slice(at + 1));
      assert.match(said, new RegExp(`number ${at + 1} is mistyped`));
    });
  }
  test('a missing character is located', () => {
    assert.match(refusal(aws.slice(0, 50) + aws.slice(51)), /missing before number 5\d/);
  });
  test('one too many is located', () => {
    assert.match(refusal(`${aws.slice(0, 50)}Q${aws.slice(50)}`), /number 5\d is one too many/);
  });
  test('two swapped are located', () => {
    const at = aws[40] === aws[41] ? 41 : 40;
    const swapped = aws.slice(0, at) + aws[at + 1] + aws[at] + aws.slice(at + 2);
    assert.match(refusal(swapped), new RegExp(`characters ${at + 1} and ${at + 2} are swapped`));
  });
  test('in a long one too', () => {
    const long = printTicket(required('AWS, a session'));
    const other = long[500] === 'x' ? 'y' : 'x';
    const said = refusal(long.slice(0, 500) + other + long.slice(501));
    assert.match(said, /number 501 is mistyped/);
  });
  test('what is said never repeats the ticket', () => {
    for (const broken of [aws.slice(0, 120), `${aws.slice(0, 60)}--${aws.slice(62)}`]) {
      for (let at = 4; at + 8 < broken.length; at += 8) {
        assert.ok(!refusal(broken).includes(broken.slice(at, at + 8)));
      }
    }
  });
});

describe('what is no whole ticket', () => {
  test('cut off: says how much is here', () => {
    assert.match(refusal(aws.slice(0, 100)), /cut off: 100 of 1\d\d characters/);
  });
  test('something else', () => {
    assert.match(refusal('SF1-436F-PH0Q-NQBX'), /does not begin like one/);
    assert.match(refusal(''), /does not begin like one/);
  });
  test('a snapshot’s id is not taken for one', () => {
    assert.ok(!looksLikeTicket('0123456789abcdef0123456789abcdef'));
    assert.ok(!looksLikeTicket('latest~2'));
    assert.ok(looksLikeTicket(aws));
    assert.ok(looksLikeTicket(aws.slice(0, 60)));
  });
});

test('base62 gives back what went in, and refuses what it never makes', () => {
  for (let length = 0; length < 40; length++) {
    const bytes = fixedBytes(`base62 ${length}`, length);
    assert.deepEqual(Buffer.from(bytes), fromBase62(toBase62(bytes)));
  }
  assert.equal(fromBase62('z'.repeat(11)), undefined);
  assert.equal(fromBase62('1'), undefined);
  assert.equal(fromBase62('ab-de'), undefined);
});

function refusal(text: string): string {
  try {
    parseTicket(text);
  } catch (error) {
    if (error instanceof FerryError && error.code === 'nothing-opens') return error.message;
    throw error;
  }
  return assert.fail('it was taken');
}

test('leads whoever opens it to a store, and nowhere else', () => {
  const ticket = required('AWS, static keys');
  const { place } = ticket;
  assert.ok(place.kind === 'bucket');
  const to = (base: string): string =>
    printTicket({ ...ticket, place: { ...place, template: { ...place.template, base } } });
  const good = [
    'https://nas.lan:9000/ferry/',
    'http://127.0.0.1:7070/b/p/',
    'http://[::1]:7070/b/',
  ];
  for (const base of good) assert.deepEqual(printTicket(parseTicket(to(base))), to(base));
  const bad = [
    'http://169.254.169.254/latest/',
    'http://[fe80::1]/b/',
    'https://admin:password@nas.lan/b/',
    'https://nas.lan/b/?delete=',
    'https://nas.lan/b/#',
    'https://nas.lan/b',
    'file:///etc/',
    'ftp://nas.lan/b/',
    'nas.lan/b/',
  ];
  for (const base of bad) {
    assert.throws(() => parseTicket(to(base)), { code: 'object-damaged' }, base);
  }
});
