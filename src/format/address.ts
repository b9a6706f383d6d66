/** What all presigned addresses of one handoff have in common; each of them adds a name and a signature. */
export type AddressTemplate = {
  /** Everything before the object's name, with its last slash. */
  readonly base: string;
  readonly region: string;
  readonly accessKeyId: string;
  /** Seconds since the epoch, by the store's clock. */
  readonly signedAtSeconds: number;
  readonly lifeSeconds: number;
  /** Of session credentials, which are long. */
  readonly token: string | undefined;
};

export const ADDRESS_SIGNATURE_BYTES = 32;

const LINK_LOCAL = /^(169\.254\.|\[fe[89ab])/;

/**
 * Whether a ticket or a grant may send somebody there, who asks before knowing anything of its maker: a store by HTTP,
 * and nothing with a login in it, nor the places where a cloud answers its own machines.
 */
export function isAddressBase(base: string): boolean {
  const url = URL.parse(base);
  if (!url || !/^https?:$/.test(url.protocol) || !url.pathname.endsWith('/')) return false;
  // An empty query or fragment is none to URL, and one to whoever puts a name behind it.
  const isPlain = url.username === '' && url.password === '' && !/[?#]/.test(base);
  return isPlain && !LINK_LOCAL.test(url.hostname);
}
