import { createHash, randomBytes } from 'node:crypto';
import { FerryError } from '../base/errors.ts';
import { lockRule } from './object-lock.ts';
import { findingOf, probeReads, startProbe, type ProbeRun } from './probe-run.ts';
import type { Finding, ProbeDeps, ProbeReport } from './probe.ts';
import { retryStore } from './retry-store.ts';
import { openS3Door, request, type S3Door } from './s3-client.ts';
import { s3CodeOf, s3Error, statusOf } from './s3-errors.ts';
import { s3StoreOn, type S3StoreOptions } from './s3-store.ts';
import { addHeaders } from './s3-upload.ts';

const RACERS = 8;
const RACES = 2;
const RETRY = {
  attemptsMax: 4,
  attemptsOnceAnsweredMax: 4,
  delayFirstMs: 250,
  delayMaxMs: 2_000,
};

type Raw = {
  readonly run: ProbeRun;
  readonly door: S3Door;
  readonly bucket: string;
  readonly keyOf: (name: string) => string;
};

/** What this bucket's server does, with this credential. */
export async function probeS3(
  options: S3StoreOptions,
  deps: ProbeDeps,
  signal: AbortSignal,
): Promise<ProbeReport> {
  const door = await openS3Door(options);
  // Plain questions are asked again when the network hiccups; those about refusals are looked at raw.
  const store = retryStore(s3StoreOn(door, options), deps, RETRY);
  const run = startProbe(store, deps, signal);
  const head = options.prefix === '' ? '' : `${options.prefix}/`;
  const raw: Raw = { run, door, bucket: options.bucket, keyOf: (name) => head + name };
  try {
    const body = randomBytes(64);
    const name = run.newName();
    const written = await run.ask('writing', () => store.put(name, body, {}, signal));
    const unwritten = {
      createOnly: 'unknown',
      createOnlyRefusal: undefined,
      race: undefined,
    } as const;
    const reads = await (written ? probeReads(run, name, body) : readAnything(run));
    const report = {
      location: store.location,
      kind: 's3',
      write: written ? 'yes' : 'denied',
      ...reads,
      ...(written ? await probeCreateOnly(raw) : unwritten),
      uploadChecksum: written ? await probeChecksum(raw) : 'unknown',
      listPages: written ? await probePages(raw) : 'unknown',
      versioning: await probeVersioning(raw),
      objectLock: await probeObjectLock(raw),
      clockDifferenceMs: (await store.dateMs(signal)) - deps.clock.nowMs(),
    } as const;
    return { ...report, ...(await run.finish()) };
  } finally {
    await store.close();
  }
}

/** For a credential that may only read. */
async function readAnything(
  run: ProbeRun,
): Promise<{ read: Finding; rangeReads: Finding; list: Finding }> {
  const { store, signal } = run;
  const read = await run.ask('reading', async () => {
    await store.get('stateferry.json', undefined, signal);
    return true;
  });
  const list = await run.ask('listing', async () => {
    for await (const _ of store.list('', signal)) break;
    return true;
  });
  return { read: findingOf(read), rangeReads: 'unknown', list: findingOf(list) };
}

async function probeCreateOnly(
  raw: Raw,
): Promise<Pick<ProbeReport, 'createOnly' | 'createOnlyRefusal' | 'race'>> {
  const name = raw.run.newName();
  const first = randomBytes(32);
  const created = await putRaw(raw, name, first, { 'if-none-match': '*' });
  if (created !== 'stored') {
    return { createOnly: 'none', createOnlyRefusal: created, race: undefined };
  }
  const refusal = await putRaw(raw, name, randomBytes(32), { 'if-none-match': '*' });
  if (refusal === 'stored')
    return { createOnly: 'none', createOnlyRefusal: undefined, race: undefined };
  if (!/^(412|409) /.test(refusal) && !(await stillHolds(raw, name, first))) {
    return { createOnly: 'unknown', createOnlyRefusal: refusal, race: undefined };
  }
  const winnersMax = await raceCreateOnly(raw);
  return {
    createOnly: winnersMax > 1 ? 'racy' : 'atomic',
    createOnlyRefusal: refusal,
    race: { racers: RACERS, winnersMax },
  };
}

async function raceCreateOnly(raw: Raw): Promise<number> {
  let winnersMax = 0;
  for (let race = 0; race < RACES; race++) {
    const name = raw.run.newName();
    const answers = await Promise.all(
      Array.from({ length: RACERS }, () =>
        putRaw(raw, name, randomBytes(32), { 'if-none-match': '*' }),
      ),
    );
    winnersMax = Math.max(winnersMax, answers.filter((answer) => answer === 'stored').length);
  }
  return winnersMax;
}

/** Sends wrong checksums on purpose. One that is checked refuses the wrong and takes the right. */
async function probeChecksum(raw: Raw): Promise<ProbeReport['uploadChecksum']> {
  const body = randomBytes(32);
  const wrongCrc32 = randomBytes(4).toString('base64');
  const wrongMd5 = randomBytes(16).toString('base64');
  const crc32 = await putRaw(raw, raw.run.newName(), body, { 'x-amz-checksum-crc32': wrongCrc32 });
  if (crc32.startsWith('400 ')) return 'crc32'; // the store's own puts carry a right one and were taken
  const md5 = await putRaw(raw, raw.run.newName(), body, { 'content-md5': wrongMd5 });
  if (md5.startsWith('400 ')) return 'md5';
  return crc32 === 'stored' && md5 === 'stored' ? 'none' : 'unknown';
}

/** With one name a page the listing must say that it goes on, and go on to another name. */
async function probePages(raw: Raw): Promise<Finding> {
  const { door, bucket, keyOf, run } = raw;
  const page = (
    ContinuationToken?: string,
  ): Promise<{ key: string | undefined; next: string | undefined }> =>
    request(door, 'list', run.signal, async () => {
      const input = { Bucket: bucket, Prefix: keyOf('probe/'), MaxKeys: 1, ContinuationToken };
      const answer = await door.client.send(new door.sdk.ListObjectsV2Command(input), {
        abortSignal: run.signal,
      });
      return { key: answer.Contents?.[0]?.Key, next: answer.NextContinuationToken };
    });
  const goesOn = await run.ask('listing in pages', async () => {
    const first = await page();
    if (first.next === undefined) return false;
    const second = await page(first.next);
    return second.key !== undefined && second.key !== first.key;
  });
  return findingOf(goesOn);
}

async function probeVersioning({ run, door, bucket }: Raw): Promise<ProbeReport['versioning']> {
  const status = await run.ask('versioning', () =>
    request(door, 'read the versioning', run.signal, async () => {
      const command = new door.sdk.GetBucketVersioningCommand({ Bucket: bucket });
      return (await door.client.send(command, { abortSignal: run.signal })).Status ?? 'off';
    }),
  );
  if (status === undefined) return 'unknown';
  return status === 'Enabled' ? 'on' : status === 'Suspended' ? 'suspended' : 'off';
}

async function probeObjectLock({ run, door, bucket }: Raw): Promise<ProbeReport['objectLock']> {
  const rule = await run.ask('Object Lock', () => lockRule(door, bucket, run.signal));
  return rule === undefined ? 'unknown' : rule.isEnabled ? 'on' : 'off';
}

/** `stored`, or the refusal in the server's own words. Only an interruption throws. */
async function putRaw(
  { door, bucket, keyOf, run }: Raw,
  name: string,
  body: Uint8Array,
  headers: Record<string, string>,
): Promise<string> {
  const command = new door.sdk.PutObjectCommand({ Bucket: bucket, Key: keyOf(name), Body: body });
  // Buckets with Object Lock take nothing without a checksum, and every server knows this one.
  const md5 = createHash('md5').update(body).digest('base64');
  addHeaders(command, () => ({ 'content-md5': md5, ...headers }));
  try {
    await door.client.send(command, { abortSignal: run.signal });
    return 'stored';
  } catch (error) {
    const failure = s3Error(error, { action: 'put', location: door.location, signal: run.signal });
    if (failure.code === 'interrupted') throw failure;
    const status = statusOf(error);
    return status === undefined ? 'connection closed' : `${status} ${s3CodeOf(error)}`;
  }
}

async function stillHolds({ run }: Raw, name: string, body: Uint8Array): Promise<boolean> {
  try {
    const found = await run.store.get(name, undefined, run.signal);
    return found !== undefined && Buffer.from(body).equals(found.bytes);
  } catch (error) {
    if (error instanceof FerryError && error.code === 'interrupted') throw error;
    return false;
  }
}
