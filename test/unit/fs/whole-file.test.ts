/** What a drill says of single files: databases that SQLite finds fault with, records that do not parse. */
import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, test } from 'node:test';
import { bytePathFromText } from '../../../src/base/byte-path.ts';
import { compress, decompress } from '../../../src/codec/zstd.ts';
import { isDatabase, judgeFile, type FileVerdict } from '../../../src/fs/whole-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'whole-file-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const BUFFER = Buffer.alloc(64 * 1024);
const at = (name: string): string => join(folder, name);
const judgeDatabase = (name: string): FileVerdict =>
  judgeFile(bytePathFromText(at(name)), 'database', decompress, BUFFER);

function makeDatabase(name: string, sql: string): void {
  const database = new DatabaseSync(at(name));
  database.exec(sql);
  database.close();
}

const ROWS = `CREATE TABLE t (a); CREATE INDEX i ON t (a);
  WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 3000)
  INSERT INTO t SELECT 'row ' || x FROM n;`;

describe('databases', () => {
  test('a whole one, in a name that a URL would end at', () => {
    makeDatabase('what? #1 50%.sqlite', ROWS);
    assert.ok(isDatabase(bytePathFromText(at('what? #1 50%.sqlite'))));
    assert.deepEqual(judgeDatabase('what? #1 50%.sqlite'), {
      wrong: undefined,
      records: 0,
      torn: 0,
    });
  });

  test('one in WAL mode, with and without its -wal: nothing is left beside it', () => {
    const database = new DatabaseSync(at('wal.sqlite'));
    database.exec(`PRAGMA journal_mode = WAL; ${ROWS}`);
    for (const suffix of ['', '-wal']) {
      writeFileSync(at(`copy.sqlite${suffix}`), readFileSync(at(`wal.sqlite${suffix}`)));
    }
    database.close();
    const earlier = readdirSync(folder);
    assert.equal(judgeDatabase('copy.sqlite').wrong, undefined);
    assert.equal(judgeDatabase('wal.sqlite').wrong, undefined);
    assert.deepEqual(readdirSync(folder), earlier);
  });

  test('damage in a page, a cut, and something else that begins like one', () => {
    makeDatabase('good.sqlite', ROWS);
    const good = readFileSync(at('good.sqlite'));
    const other = Buffer.from(good);
    other.write('row 778', other.indexOf('row 777'));
    const torn = Buffer.from(good);
    torn.fill(0xff, 8192, 8192 + 4096);
    for (const [name, bytes] of Object.entries({
      'other.sqlite': other,
      'torn.sqlite': torn,
      'cut.sqlite': good.subarray(0, 12_288),
      'none.sqlite': Buffer.concat([good.subarray(0, 16), Buffer.alloc(4096, 7)]),
    })) {
      writeFileSync(at(name), bytes);
      const { wrong } = judgeDatabase(name);
      assert.ok(wrong !== undefined && wrong.length > 5, `${name}: ${wrong}`);
    }
  });

  test('records of the newest products are parsed, compressed ones too', () => {
    makeDatabase(
      'agent.sqlite',
      'CREATE TABLE transcript_events (event_json TEXT, event_zstd BLOB, event_utf8_bytes INTEGER)',
    );
    const database = new DatabaseSync(at('agent.sqlite'));
    const insert = database.prepare('INSERT INTO transcript_events VALUES (?, ?, ?)');
    const large = Buffer.from(JSON.stringify({ text: 'x'.repeat(5_000) }));
    insert.run('{"type":"message"}', null, null);
    insert.run(null, compress(large).slice(), large.length);
    insert.run('{"type":"mess', null, null);
    insert.run(null, Buffer.from('not zstd'), 100);
    insert.run(null, compress(large).slice(), 2 ** 40);
    database.close();
    assert.deepEqual(judgeDatabase('agent.sqlite'), { wrong: undefined, records: 5, torn: 3 });
  });
});

describe('transcripts', () => {
  const judge = (text: string | Buffer): FileVerdict => {
    writeFileSync(at('one.jsonl'), text);
    return judgeFile(bytePathFromText(at('one.jsonl')), 'records', decompress, BUFFER);
  };

  test('whole ones, however they end', () => {
    for (const text of ['{"a":1}\n{"b":2}\n', '{"a":1}\n{"b":2}', '{"a":1}\r\n\r\n{"b":2}\n\n']) {
      assert.deepEqual(judge(text), { wrong: undefined, records: 2, torn: 0 });
    }
    assert.deepEqual(judge(''), { wrong: undefined, records: 0, torn: 0 });
  });

  test('torn ones by their lines', () => {
    const text = '{"a":1}\n\n{"b":\n"only text"\n{"c":3}\n';
    assert.deepEqual(judge(text), {
      wrong: '2 of 4 records, the first in line 3',
      records: 4,
      torn: 2,
    });
  });

  test('a letter that lies across two reads is one letter', () => {
    const line = (letters: number): string => `${JSON.stringify({ text: 'ä'.repeat(letters) })}\n`;
    const text = line(700_001) + line(3) + line(900_000);
    assert.deepEqual(judge(text), { wrong: undefined, records: 3, torn: 0 });
  });
});
