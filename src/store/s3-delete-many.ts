/** S3's deletion of many names in one request, which not every server has. */
import { createHash } from 'node:crypto';
import { throwIfAborted } from '../base/errors.ts';
import { sendWithClock, type S3Door } from './s3-client.ts';
import { s3Error, statusOf } from './s3-errors.ts';

/** What S3 allows in one request. */
export const DELETED_AT_ONCE_MAX = 1000;

/**
 * The keys that the server says are gone. Undefined: it does not do this, or not for these credentials; one by one
 * may go, and tells why not.
 */
export async function deleteKeys(
  door: S3Door,
  bucket: string,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlySet<string> | undefined> {
  throwIfAborted(signal);
  const command = new door.sdk.DeleteObjectsCommand({
    Bucket: bucket,
    Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: false },
  });
  // The SDK insists on a CRC-32, which half of the servers answer with 400. This is what the request was born with.
  command.middlewareStack.add(
    (next) => async (args) => {
      md5Instead(args.request);
      return await next(args);
    },
    { step: 'build', priority: 'low', name: 'md5Instead' },
  );
  try {
    const output = await sendWithClock(signal, () =>
      door.client.send(command, { abortSignal: signal }),
    );
    return new Set((output.Deleted ?? []).flatMap(({ Key }) => Key ?? []));
  } catch (error) {
    const status = statusOf(error) ?? 0;
    const isRefusal = (status >= 400 && status < 500 && status !== 429) || status === 501;
    if (isRefusal && !signal.aborted) return undefined;
    const context = { action: `delete ${keys.length} objects`, location: door.location, signal };
    throw s3Error(error, context);
  }
}

function md5Instead(request: unknown): void {
  if (typeof request !== 'object' || request === null) return;
  if (!('headers' in request && 'body' in request)) return;
  const { headers, body } = request;
  if (typeof headers !== 'object' || headers === null) return;
  if (typeof body !== 'string' && !(body instanceof Uint8Array)) return;
  for (const name of Object.keys(headers)) {
    if (/^x-amz-(sdk-)?checksum-/i.test(name)) Reflect.deleteProperty(headers, name);
  }
  Object.assign(headers, { 'content-md5': createHash('md5').update(body).digest('base64') });
}
