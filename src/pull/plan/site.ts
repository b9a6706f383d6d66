/** The machine and user that an install lands on. */
import type { Brand } from '../../gateway/install/brands.ts';
import type { CliDeps } from '../../gateway/product/product-cli.ts';
import type { Owner } from '../restore/file-table.ts';

export type LandingSite = {
  readonly home: string;
  /** Who the files and the gateway belong to. */
  readonly uid: number;
  /** Set when we run as root for somebody else. */
  readonly owner: Owner;
  readonly env: Readonly<Record<string, string>>;
  readonly brands: readonly Brand[];
  readonly cli: CliDeps;
};
