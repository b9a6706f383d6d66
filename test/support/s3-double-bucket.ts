import { createHash, randomBytes } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { crc32 } from 'node:zlib';
import { Refusal } from './s3-double-refusal.ts';

/** Which server the double is taken for. */
export type DoubleProfile = 'aws' | 'ceph' | 'swift' | 'lax';

export type HeldObject = {
  readonly bytes: Buffer;
  readonly modifiedMs: number;
  readonly etag: string;
  /** What lay there before, for a stale answer. */
  readonly previous: HeldObject | undefined;
};

type Part = { readonly bytes: Buffer; readonly etag: string; readonly crc32: string | undefined };
export type OpenUpload = {
  readonly key: string;
  readonly algorithm: string | undefined;
  readonly parts: Map<number, Part>;
};

export type Answer = {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string | Buffer;
};

const PART_BYTES_MIN = 5 * 1024 * 1024;

/** The state of one bucket and what each profile makes of a request against it. */
export class DoubleBucket {
  readonly objects = new Map<string, HeldObject>();
  readonly uploads = new Map<string, OpenUpload>();
  readonly profile: DoubleProfile;
  readonly nowMs: () => number;

  constructor(profile: DoubleProfile, nowMs: () => number) {
    this.profile = profile;
    this.nowMs = nowMs;
  }

  put(key: string, headers: IncomingHttpHeaders, body: Buffer, lose: boolean): Answer {
    this.checkUpload(headers, body);
    this.checkCreateOnly(key, headers);
    const etag = quote(md5(body).toString('hex'));
    if (!lose) this.keep(key, body, etag);
    return { status: 200, headers: { ETag: etag } };
  }

  get(key: string, headers: IncomingHttpHeaders, stale: boolean): Answer {
    const object = this.seen(key, stale);
    if (!object) throw new Refusal(404, 'NoSuchKey');
    const common = {
      ETag: object.etag,
      'Last-Modified': new Date(object.modifiedMs).toUTCString(),
      'Accept-Ranges': 'bytes',
    };
    const wantsChecksum = headers['x-amz-checksum-mode'] === 'ENABLED' && this.profile === 'aws';
    const checksum = wantsChecksum && { 'x-amz-checksum-crc32': crcText(object.bytes) };
    const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '');
    if (!range) return { status: 200, headers: { ...common, ...checksum }, body: object.bytes };
    const first = Number(range[1]);
    if (first >= object.bytes.length) throw new Refusal(416, 'InvalidRange');
    const last = Math.min(Number(range[2]), object.bytes.length - 1);
    return {
      status: 206,
      headers: { ...common, 'Content-Range': `bytes ${first}-${last}/${object.bytes.length}` },
      body: object.bytes.subarray(first, last + 1),
    };
  }

  delete(key: string): Answer {
    this.objects.delete(key);
    return { status: 204 };
  }

  /** As strict as the strictest: Content-MD5 and nothing newer. Swift has none of it here. */
  deleteMany(headers: IncomingHttpHeaders, body: Buffer, refuseSome: boolean): Answer {
    if (this.profile === 'swift') throw new Refusal(501, 'NotImplemented');
    if (headers['content-md5'] !== md5(body).toString('base64')) {
      throw new Refusal(400, 'InvalidRequest');
    }
    if (headers['x-amz-checksum-crc32'] !== undefined) throw new Refusal(400, 'InvalidRequest');
    const keys = [...body.toString().matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
    if (keys.length === 0 || keys.length > 1000) throw new Refusal(400, 'MalformedXML');
    const refused = refuseSome ? keys.slice(0, 1) : [];
    const silent = refuseSome ? keys.slice(-1) : [];
    const done = keys.filter((key) => ![...refused, ...silent].includes(key));
    for (const key of done) this.objects.delete(key);
    const content = [
      ...done.map((key) => element('Deleted', element('Key', key))),
      ...refused.map((key) =>
        element('Error', element('Key', key) + element('Code', 'AccessDenied')),
      ),
    ];
    return { status: 200, body: xml('DeleteResult', content.join('')) };
  }

  list(query: URLSearchParams, pageMax: number, stale: boolean): Answer {
    const prefix = query.get('prefix') ?? '';
    const token = query.get('continuation-token');
    const after = token === null ? '' : Buffer.from(token, 'base64url').toString();
    const rest = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix) && key > after && this.seen(key, stale))
      .sort();
    const page = rest.slice(0, pageMax);
    const more = rest.length > page.length;
    const contents = page.map((key) => {
      const object = this.seen(key, stale);
      const date = new Date(object?.modifiedMs ?? 0).toISOString();
      const time = this.profile === 'lax' ? '' : element('LastModified', date);
      const size = object?.bytes.length;
      return element('Contents', `${element('Key', key)}${time}<Size>${size}</Size>`);
    });
    const next = Buffer.from(page.at(-1) ?? '').toString('base64url');
    const goesOn = more ? element('NextContinuationToken', next) : '';
    const content = element('IsTruncated', String(more)) + contents.join('') + goesOn;
    return { status: 200, body: xml('ListBucketResult', content) };
  }

  createUpload(key: string, headers: IncomingHttpHeaders): Answer {
    const id = randomBytes(12).toString('hex');
    const algorithm = headers['x-amz-checksum-algorithm'];
    this.uploads.set(id, {
      key,
      algorithm: typeof algorithm === 'string' ? algorithm : undefined,
      parts: new Map(),
    });
    return {
      status: 200,
      body: xml('InitiateMultipartUploadResult', `<UploadId>${id}</UploadId>`),
    };
  }

  uploadPart(id: string, number: number, headers: IncomingHttpHeaders, body: Buffer): Answer {
    const upload = this.upload(id);
    this.checkUpload(headers, body);
    const sent = headers['x-amz-checksum-crc32'];
    const checksum = typeof sent === 'string' && this.profile === 'aws' ? sent : undefined;
    if (checksum !== undefined && upload.algorithm !== 'CRC32') {
      throw new Refusal(400, 'InvalidRequest', 'the upload declared no CRC32');
    }
    const etag = quote(md5(body).toString('hex'));
    upload.parts.set(number, { bytes: body, etag, crc32: checksum });
    return {
      status: 200,
      headers: { ETag: etag, ...(checksum && { 'x-amz-checksum-crc32': checksum }) },
    };
  }

  complete(id: string, headers: IncomingHttpHeaders, body: Buffer, lose: boolean): Answer {
    const upload = this.upload(id);
    const wanted = [...body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(
      ([, text = '']) => text,
    );
    const parts = wanted.map((text, at) =>
      this.checkedPart(upload, text, at + 1 === wanted.length),
    );
    if (parts.length === 0) throw new Refusal(400, 'MalformedXML');
    this.checkCreateOnly(upload.key, headers);
    this.uploads.delete(id);
    const bytes = Buffer.concat(parts.map((part) => part.bytes));
    const etag =
      this.profile === 'ceph' ? '""' : quote(`${md5(bytes).toString('hex')}-${parts.length}`);
    if (!lose) this.keep(upload.key, bytes, etag);
    return { status: 200, body: xml('CompleteMultipartUploadResult', `<ETag>${etag}</ETag>`) };
  }

  abortUpload(id: string): Answer {
    this.upload(id);
    this.uploads.delete(id);
    return { status: 204 };
  }

  private checkedPart(upload: OpenUpload, text: string, last: boolean): Part {
    const part = upload.parts.get(Number(/<PartNumber>(\d+)/.exec(text)?.[1]));
    const etag = (/<ETag>(.*?)<\/ETag>/.exec(text)?.[1] ?? '').replaceAll('&quot;', '"');
    if (!part || part.etag !== etag) throw new Refusal(400, 'InvalidPart');
    const checksum = /<ChecksumCRC32>(.*?)<\/ChecksumCRC32>/.exec(text)?.[1];
    if (part.crc32 !== undefined && part.crc32 !== checksum) {
      throw new Refusal(400, 'InvalidRequest', 'a part without its checksum');
    }
    if (!last && part.bytes.length < PART_BYTES_MIN) throw new Refusal(400, 'EntityTooSmall');
    return part;
  }

  /** Length, framing and checksums, each as strictly as this profile's server. */
  private checkUpload(headers: IncomingHttpHeaders, body: Buffer): void {
    if (this.profile === 'lax') return;
    const framed = (headers['content-encoding'] ?? '').includes('aws-chunked');
    if (framed && this.profile === 'swift') throw new Refusal(501, 'NotImplemented');
    if (headers['content-length'] === undefined || framed)
      throw new Refusal(411, 'MissingContentLength');
    const sentMd5 = headers['content-md5'];
    if (sentMd5 !== undefined && sentMd5 !== md5(body).toString('base64')) {
      throw new Refusal(400, 'BadDigest');
    }
    const sentCrc = headers['x-amz-checksum-crc32'];
    if (this.profile === 'aws' && sentCrc !== undefined && sentCrc !== crcText(body)) {
      throw new Refusal(400, 'BadDigest', 'the CRC32 does not match');
    }
  }

  private checkCreateOnly(key: string, headers: IncomingHttpHeaders): void {
    if (headers['if-none-match'] === undefined || this.profile === 'lax') return;
    if (this.profile === 'swift') throw new Refusal(501, 'NotImplemented');
    if (this.objects.has(key)) throw new Refusal(412, 'PreconditionFailed');
  }

  private keep(key: string, bytes: Buffer, etag: string): void {
    const previous = this.objects.get(key);
    this.objects.set(key, { bytes, modifiedMs: this.nowMs(), etag, previous });
  }

  private seen(key: string, stale: boolean): HeldObject | undefined {
    const object = this.objects.get(key);
    return stale ? object?.previous : object;
  }

  private upload(id: string): OpenUpload {
    const upload = this.uploads.get(id);
    if (!upload) throw new Refusal(404, 'NoSuchUpload');
    return upload;
  }
}

export function xml(root: string, content: string): string {
  const open = `<${root} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n${open}${content}</${root}>`;
}

const element = (name: string, content: string): string => `<${name}>${content}</${name}>`;
const quote = (text: string): string => `"${text}"`;
const md5 = (bytes: Buffer): Buffer => createHash('md5').update(bytes).digest();

function crcText(bytes: Buffer): string {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(crc32(bytes));
  return out.toString('base64');
}
