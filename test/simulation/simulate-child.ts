/** A process that tells the worlds whose seeds it is sent, one after the other. */
import './light/modules.ts';

const { cryptoReady } = await import('../../src/crypto/sodium.ts');
const { tell } = await import('./story.ts');
await cryptoReady();

const DAYS = Number(process.argv[2]);

process.on('message', (seed: unknown) => {
  void tell(String(seed), { days: DAYS }).then((told) => process.send?.(told));
});
process.send?.('ready');
