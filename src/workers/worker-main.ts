/** The entry of a worker thread: takes jobs one by one, answers each. */
import { parentPort } from 'node:worker_threads';
import { assert, FerryError, messageOf, openFilesLimit, unreachable } from '../base/errors.ts';
import { decompress } from '../codec/zstd.ts';
import { judgeFile } from '../fs/whole-file.ts';
import { CaptureTask } from './capture-task.ts';
import { PIPELINE } from './limits.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { PoolStopped } from './pack-builder.ts';
import { readBack } from './read-back-task.ts';
import { ReadTask } from './read-task.ts';
import { RestoreTask } from './restore-task.ts';

assert(parentPort, 'this file runs as a worker thread');
const port = parentPort;
const say = (message: FromWorker): void => port.postMessage(message);

/** For what is only looked at; one for each file would be garbage until somebody collects it. */
const looking = Buffer.allocUnsafe(PIPELINE.readBytes);

let capture: CaptureTask | undefined;
let restore: RestoreTask | undefined;
let reading: ReadTask | undefined;

port.on('message', (message: ToWorker) => {
  try {
    handle(message);
  } catch (error) {
    if (!('job' in message)) throw error;
    say(failure(message.job, error));
  }
});
say({ type: 'ready' });

function handle(message: ToWorker): void {
  switch (message.type) {
    case 'begin capture':
      capture = new CaptureTask(message.setup, (pack) => say({ type: 'pack', pack }));
      return;
    case 'capture': {
      assert(capture, 'no capture was begun');
      return say({ type: 'captured', job: message.job, ...capture.capture(message.files) });
    }
    case 'capture range': {
      assert(capture, 'no capture was begun');
      return say({
        type: 'range captured',
        job: message.job,
        ...capture.captureRange(message.range),
      });
    }
    case 'store':
      capture?.store(message.blobs);
      return say({ type: 'done', job: message.job });
    case 'finish':
      capture?.finish();
      return say({ type: 'done', job: message.job });
    case 'begin read':
      reading = new ReadTask(message.setup);
      return;
    case 'read': {
      assert(reading, 'no reading was begun');
      const found = reading.read(message.part, message.lot, message.at);
      return say({ type: 'was read', job: message.job, found });
    }
    case 'copy': {
      assert(reading && capture, 'no copying was begun');
      const ids = capture.copy(reading, message.part, message.companies);
      return say({ type: 'copied', job: message.job, ids });
    }
    case 'begin restore':
      restore = new RestoreTask(message.setup);
      return;
    case 'restore': {
      assert(restore, 'no restore was begun');
      return say({ type: 'restored', job: message.job, ...restore.restore(message.pack) });
    }
    case 'verify stage': {
      assert(restore, 'no restore was begun');
      const task = restore;
      const good = message.files.map((file) => task.verify(file));
      return say({ type: 'stage verified', job: message.job, good });
    }
    case 'read back': {
      const found = readBack(message.files, message.chunkIdKey, looking);
      return say({ type: 'was read back', job: message.job, found });
    }
    case 'judge': {
      const verdict = judgeFile(message.path, message.kind, decompress, looking);
      return say({ type: 'judged', job: message.job, verdict });
    }
    case 'finish restore':
      restore?.finish();
      return say({ type: 'done', job: message.job });
    default:
      return unreachable(message);
  }
}

function failure(job: number, error: unknown): FromWorker {
  if (error instanceof PoolStopped) {
    return { type: 'failed', job, code: 'interrupted', message: 'interrupted', hint: undefined };
  }
  const known = error instanceof FerryError ? error : openFilesLimit(error);
  const message = known?.message ?? `${messageOf(error)}\n${(error as Error).stack ?? ''}`;
  return { type: 'failed', job, code: known?.code ?? 'bug', message, hint: known?.hint };
}
