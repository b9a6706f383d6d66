import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolderStore, type FolderStoreOptions } from '../../src/store/folder-store.ts';
import { describeStore, type StoreFixture } from './store-contract.ts';

const inFolder = (options: FolderStoreOptions): StoreFixture => ({
  open: async () => {
    const root = await mkdtemp(join(tmpdir(), 'ferry-folder-'));
    return {
      store: await openFolderStore(root, options),
      close: () => rm(root, { recursive: true }),
    };
  },
});

describeStore('folder', inFolder({}));

/** FAT and exFAT answer link(2) with EPERM. */
const noLinks = async (): Promise<void> => {
  throw Object.assign(new Error('no hard links here'), { code: 'EPERM' });
};
describeStore('folder without hard links', inFolder({ link: noLinks }));
