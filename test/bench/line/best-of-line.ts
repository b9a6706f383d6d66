/** What the line gives whoever only moves bytes: curl with one object each way, over one connection and several. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seeded } from '../../support/seeded.ts';
import type { Target } from '../tools.ts';
import type { SlowLine } from './slow-line.ts';

export type BestOfLine = {
  readonly connections: number;
  readonly way: 'up' | 'down';
  /** Of the line's rate. */
  readonly share: number;
};

const MIB = 1024 * 1024;
const OBJECT_BYTES = 64 * MIB;
const CONNECTIONS = [1, 4];

/** @param folder empty, on this disk */
export async function bestOfLine(
  line: SlowLine,
  target: Extract<Target, { kind: 's3' }>,
  folder: string,
): Promise<BestOfLine[]> {
  const found: BestOfLine[] = [];
  for (const connections of CONNECTIONS) {
    const path = join(folder, `${connections}`);
    writeFileSync(path, seeded('line').noise(OBJECT_BYTES / connections));
    const urls = Array.from(
      { length: connections },
      (_, index) => `${line.endpoint}/${target.bucket}/object-${connections}-${index}`,
    );
    for (const way of ['up', 'down'] as const) {
      const beganMs = performance.now();
      const each = way === 'up' ? ['-T', path] : ['-o', '/dev/null'];
      await Promise.all(urls.map((url) => curl(target, [...each, url])));
      const { bitsPerSecond } = line.options;
      const seconds = (performance.now() - beganMs) / 1000;
      found.push({ connections, way, share: (OBJECT_BYTES * 8) / bitsPerSecond / seconds });
    }
  }
  return found;
}

async function curl(
  { accessKeyId, secretAccessKey }: Extract<Target, { kind: 's3' }>,
  words: readonly string[],
): Promise<void> {
  const signed = ['--aws-sigv4', 'aws:amz:us-east-1:s3', '-u', `${accessKeyId}:${secretAccessKey}`];
  const unsigned = ['-H', 'x-amz-content-sha256: UNSIGNED-PAYLOAD', '-H', 'Expect:'];
  const child = spawn('curl', ['-sSf', ...signed, ...unsigned, ...words], { stdio: 'inherit' });
  const exit = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  if (exit !== 0) throw new Error(`curl ended with ${String(exit)}`);
}
