import { openMemoryStore } from '../../src/store/memory-store.ts';
import { describeStore } from './store-contract.ts';

describeStore('memory', {
  open: async () => ({ store: openMemoryStore(), close: async () => {} }),
});
