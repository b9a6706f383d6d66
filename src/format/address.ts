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
