/**
 * Runs one command and measures it as the kernel does: wall time, CPU time and peak memory of the process and of every
 * child it waited for. Node cannot ask for a child's usage, so a dozen lines of Python stand between (`os.wait4`).
 * What others wrote is on the disk before it starts: else who makes its work durable waits for theirs.
 */
import { spawn } from 'node:child_process';
import { openSync, readFileSync, closeSync } from 'node:fs';
import { join } from 'node:path';

export type Command = {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

export type Measured = {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssMaxBytes: number;
  readonly stdout: string;
};

const WAIT4 = `
import json, os, sys, time
result, argv = sys.argv[1], sys.argv[2:]
os.sync()
start = time.monotonic()
pid = os.fork()
if pid == 0:
    try:
        os.execvpe(argv[0], argv, os.environ)
    except OSError as error:
        sys.stderr.write(str(error) + "\\n")
        os._exit(127)
_, status, usage = os.wait4(pid, 0)
wall = time.monotonic() - start
scale = 1 if sys.platform == "darwin" else 1024
with open(result, "w") as out:
    json.dump({"exit": os.waitstatus_to_exitcode(status), "wallMs": wall * 1000,
               "cpuMs": (usage.ru_utime + usage.ru_stime) * 1000, "rssMaxBytes": usage.ru_maxrss * scale}, out)
`;

/** Fails when the command does; its output is in the message. */
export async function measure(command: Command, scratchDir: string): Promise<Measured> {
  const resultPath = join(scratchDir, 'usage.json');
  const outPath = join(scratchDir, 'stdout.txt');
  const errPath = join(scratchDir, 'stderr.txt');
  const out = openSync(outPath, 'w');
  const err = openSync(errPath, 'w');
  const argv = ['-c', WAIT4, resultPath, ...command.argv];
  const child = spawn('python3', argv, { env: { ...command.env }, stdio: ['ignore', out, err] });
  const exit = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  closeSync(out);
  closeSync(err);
  if (exit !== 0) throw new Error(`python3 (for wait4) ended with ${exit}: ${tail(errPath)}`);
  const usage = JSON.parse(readFileSync(resultPath, 'utf8')) as Usage;
  if (usage.exit !== 0) {
    const said = `${tail(outPath)}\n${tail(errPath)}`;
    throw new Error(`${command.argv.join(' ')} ended with ${usage.exit}:\n${said}`);
  }
  return { ...usage, stdout: readFileSync(outPath, 'utf8') };
}

type Usage = {
  readonly exit: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly rssMaxBytes: number;
};

const tail = (path: string): string => readFileSync(path, 'utf8').slice(-2000);
