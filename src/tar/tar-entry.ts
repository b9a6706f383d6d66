/** What an archive holds, in the words of the rest: an entry without chunks. */
import type { BytePath } from '../base/byte-path.ts';
import type { EntryBase } from '../format/entry.ts';

/** Every snapshot `Entry` is one. In an archive, paths and targets of hard links are relative to its top. */
export type TarEntry =
  | (EntryBase & { readonly type: 'file'; readonly size: number })
  | (EntryBase & { readonly type: 'dir' })
  | (EntryBase & { readonly type: 'symlink'; readonly target: BytePath })
  | (EntryBase & { readonly type: 'hardlink'; readonly target: BytePath });
