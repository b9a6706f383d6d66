/** One world for each seed: `node test/simulation/simulate.ts [--days 730] SEED…`; or `--seeds 1000`: from 1 on. */
import './light-crypto.ts';
import { parseArgs } from 'node:util';

const { cryptoReady } = await import('../../src/crypto/sodium.ts');
const { tell } = await import('./story.ts');
await cryptoReady();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { days: { type: 'string', default: '730' }, seeds: { type: 'string', default: '0' } },
});
const counted = Array.from({ length: Number(values.seeds) }, (_, index) => String(index + 1));
for (const seed of [...positionals, ...counted]) {
  const { wrong, ...counts } = await tell(seed, { days: Number(values.days) });
  process.stdout.write(`seed ${seed}: ${wrong ?? 'whole'} ${JSON.stringify(counts)}\n`);
  if (wrong !== undefined) process.exitCode = 1;
}
