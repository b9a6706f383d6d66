/**
 * A ring is a set of tests that needs something from the machine: a server, a published CLI. A test file declares
 * its ring; where the need is not met the ring reports why, and `npm test` says so in its last lines. Rings named in
 * STATEFERRY_REQUIRE_RINGS (comma-separated) must run: there a skip, or a ring without a single test, is a failure.
 *
 *     const server = await startVersitygw();
 *     ring('versitygw', server.absent, () => {
 *       test('…', …);            // or a shared suite
 *       after(() => server.stop());
 *     });
 */
import { appendFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';

export const RING_NAMES = [
  'localstack',
  'localstack-runtime',
  'versitygw',
  'minio',
  'endpoint',
  'gateway-2026.1.24',
  'gateway-2026.3.2',
  'gateway-2026.9.6',
  'python-reader',
  'terraform',
  'terraform-aws',
  'small-disk',
  'systemd',
] as const;

export type RingName = (typeof RING_NAMES)[number];

/** One line of the ring report, the file that `test/run.ts` reads back. */
export type RingRecord =
  | { readonly ring: RingName; readonly what: 'ran'; readonly test: string }
  | { readonly ring: RingName; readonly what: 'skipped'; readonly reason: string };

/**
 * Declares the tests of a ring. `absence` is undefined where the ring can run, else the reason why it cannot: then one
 * skipped test stands for all of them (a failed one where the ring is required).
 */
export function ring(name: RingName, absence: string | undefined, define: () => void): void {
  if (absence !== undefined) {
    record({ ring: name, what: 'skipped', reason: absence });
    test(`ring ${name}`, isRequired(name) ? {} : { skip: absence }, () => {
      throw new Error(`the ring ${name} is required but cannot run: ${absence}`);
    });
    return;
  }
  describe(`ring ${name}`, () => {
    afterEach((context) => record({ ring: name, what: 'ran', test: context.name }));
    define();
  });
}

/** Whether it is worth minutes to install what the ring needs. */
export function isRequired(name: RingName): boolean {
  return requiredRings().includes(name);
}

/** The rings that must run, from STATEFERRY_REQUIRE_RINGS. An unknown name is an error, not a ring that never ran. */
export function requiredRings(): readonly RingName[] {
  const names = (process.env['STATEFERRY_REQUIRE_RINGS'] ?? '')
    .split(',')
    .filter((name) => name !== '');
  return names.map((name) => {
    const known = RING_NAMES.find((ringName) => ringName === name);
    if (known === undefined)
      throw new Error(`STATEFERRY_REQUIRE_RINGS: there is no ring "${name}"`);
    return known;
  });
}

/** Reads a line of the report back. */
export function isRingRecord(value: unknown): value is RingRecord {
  return typeof value === 'object' && value !== null && 'ring' in value && 'what' in value;
}

function record(line: RingRecord): void {
  const path = process.env['STATEFERRY_RING_REPORT'];
  if (path !== undefined) appendFileSync(path, `${JSON.stringify(line)}\n`);
}
