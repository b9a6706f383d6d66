/**
 * The space curve of two simulated years of a gateway's install, in chunks: `node test/simulation/report.ts [SEED]`,
 * first without repacking and then with it: what counts is how much lies dead beside something living.
 */
import './light/modules.ts';

const { cryptoReady } = await import('../../src/crypto/sodium.ts');
const { INSTALL } = await import('./content.ts');
const { tell } = await import('./story.ts');
const { DAY_MS } = await import('./world.ts');
await cryptoReady();

for (const repacks of [false, {}] as const) {
  process.stdout.write(repacks ? 'with repacking\n' : 'without repacking\n');
  const told = await tell(process.argv[2] ?? 'space', {
    days: 730,
    climate: {
      shape: INSTALL,
      repacks,
      weather: { listingLagMs: 0, requestLost: 0, answerLost: 0, putLost: 0, cutShort: 0 },
      habits: { sleep: 0, kill: 0, skips: 0.02, cacheLost: 0 },
      keepers: { sleep: 0, kill: 0, skips: 0 },
      rules: {
        everyDays: 7,
        graceMs: 14 * DAY_MS,
        keepLast: 3,
        keepMore: { daily: 7, weekly: 5, monthly: 12, yearly: 3 },
      },
    },
    onQuarter: (day, { live, dead, unneeded }) => {
      const share = (100 * dead) / (live + dead + unneeded);
      const chunks = `${live} live, ${dead} dead, ${unneeded} to be swept`;
      process.stdout.write(`day ${day}: ${chunks}: ${share.toFixed(1)} % dead\n`);
    },
  });
  process.stdout.write(`${told.wrong ?? 'whole'}: ${JSON.stringify(told.happened)}\n`);
}
