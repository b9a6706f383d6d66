/**
 * Exact modification times. `node:fs` takes seconds as a double, which at today's dates is off by up to 240 ns, so a
 * small program of the system sets them, thousands at a time.
 */
import { lutimesSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { asBytePath, toFsPath } from '../base/byte-path.ts';
import type { BytePath } from '../base/byte-path.ts';
import { messageOf, systemCode } from '../base/errors.ts';
import { inLanes } from '../base/lanes.ts';
import { runSystemTool } from './system-tools.ts';
import type { SystemTools } from './system-tools.ts';

/** `path` is absolute. A symbolic link gets the time itself. */
export type TimeRecord = { readonly path: BytePath; readonly mtimeNs: bigint };

/** `node` is what is left when there is neither perl nor python3: right within one microsecond. */
export type TimesWay = 'perl' | 'python' | 'node';

export type TimesReport = {
  /** The least exact way that was needed. */
  readonly way: TimesWay;
  readonly recordsSet: number;
  readonly failed: readonly { readonly path: BytePath; readonly code: string }[];
};

/** Holds a few batches of records at a time, set beside each other: nothing may be put in a directory any more. */
export async function setTimes(
  records: Iterable<TimeRecord>,
  tools: SystemTools,
): Promise<TimesReport> {
  const ways = waysOf(process.platform, process.arch);
  const failed: { path: BytePath; code: string }[] = [];
  let worst = 0;
  let recordsSet = 0;
  await inLanes(batchesOf(records), BATCHES_AT_ONCE, tools.signal, async (batch) => {
    let at = worst;
    let misses = await setBatch(batch, ways[at] ?? 'node', tools);
    while (misses === undefined) misses = await setBatch(batch, ways[++at] ?? 'node', tools);
    worst = Math.max(worst, at);
    recordsSet += batch.length - misses.length;
    failed.push(...misses);
  });
  return { way: ways[worst] ?? 'node', recordsSet, failed };
}

const BATCHES_AT_ONCE = 2;
const BATCH_RECORDS_MAX = 8_000;

/** On macOS /usr/bin/python3 may be a stub that asks to install Xcode, and perl cannot reach the right call. */
function waysOf(platform: string, arch: string): readonly TimesWay[] {
  if (platform !== 'linux') return ['node'];
  return UTIMENSAT[arch] === undefined ? ['python', 'node'] : ['perl', 'python', 'node'];
}

/** Number of the Linux system call. */
const UTIMENSAT: Readonly<Record<string, number>> = { x64: 280, arm64: 88 };

function* batchesOf(records: Iterable<TimeRecord>): Generator<TimeRecord[], void> {
  let batch: TimeRecord[] = [];
  for (const record of records) {
    batch.push(record);
    if (batch.length < BATCH_RECORDS_MAX) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

type Miss = { readonly path: BytePath; readonly code: string };

/** Undefined: this way does not exist here. */
async function setBatch(
  batch: readonly TimeRecord[],
  way: TimesWay,
  tools: SystemTools,
): Promise<Miss[] | undefined> {
  if (way === 'node') return batch.flatMap(setByNode);
  const [command, args] =
    way === 'perl'
      ? ['perl', ['-e', PERL, String(UTIMENSAT[process.arch])]]
      : ['python3', ['-I', '-c', PYTHON]];
  const result = await runSystemTool(tools, command, args, encodeRecords(batch));
  if (result?.exit !== 0 || result.truncated) return undefined;
  return missesOf(result.stdout, batch);
}

function encodeRecords(batch: readonly TimeRecord[]): Uint8Array {
  const text = batch.map(({ path, mtimeNs }) => {
    const nanos = ((mtimeNs % SECOND_NS) + SECOND_NS) % SECOND_NS;
    return `${(mtimeNs - nanos) / SECOND_NS} ${nanos} ${path}\0`;
  });
  return Buffer.from(text.join(''), 'latin1');
}

const SECOND_NS = 1_000_000_000n;

/** Both answer with one line `<number of the record> <errno>` for each record that failed. */
function missesOf(stdout: string, batch: readonly TimeRecord[]): Miss[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [index = '', errno = ''] = line.split(' ');
      const path = batch[Number(index)]?.path ?? asBytePath('');
      return { path, code: getSystemErrorName(-Number(errno)) };
    });
}

// 0x3ffffffe is UTIME_OMIT (leave the access time), -100 AT_FDCWD, 0x100 AT_SYMLINK_NOFOLLOW.
const PERL = `
exit 9 unless length(pack("p", "")) == 8;
my $call = 0 + shift; binmode STDIN; local $/ = "\\0"; my $n = 0;
while (defined(my $record = <STDIN>)) {
  my ($s, $ns, $path) = $record =~ /\\A(-?[0-9]+) ([0-9]+) (.*)\\0\\z/s or exit 8;
  my $times = pack("q4", 0, 0x3ffffffe, $s, $ns);
  print "$n ", 0 + $!, "\\n" if syscall($call, -100, $path, $times, 0x100) == -1;
  $n++;
}
`;

const PYTHON = `
import os, sys
for n, record in enumerate(sys.stdin.buffer.read().split(b"\\0")[:-1]):
    s, ns, path = record.split(b" ", 2)
    try:
        at = os.lstat(path).st_atime_ns
        os.utime(path, ns=(at, int(s) * 1000000000 + int(ns)), follow_symlinks=False)
    except OSError as error:
        print(n, error.errno)
`;

function setByNode({ path, mtimeNs }: TimeRecord): Miss[] {
  // Node takes a negative number for "now", but not a date before 1970.
  const time = mtimeNs < 0n ? new Date(Number(mtimeNs / 1_000_000n)) : Number(mtimeNs) / 1e9;
  try {
    lutimesSync(toFsPath(path), time, time);
    return [];
  } catch (error) {
    return [{ path, code: systemCode(error) ?? messageOf(error) }];
  }
}
