/** A location as another machine finds it, which has neither our environment nor our shared AWS config. */
import type { Location } from './location.ts';
import { whereIs } from './s3-client.ts';

/** Endpoint and region come along wherever they are known from; a profile is a name of this machine only. */
export async function portableLocation(location: Location): Promise<Location> {
  if (location.kind === 'folder') return location;
  const { profile: _ofThisMachine, ...rest } = location;
  const { endpoint, region } = await whereIs(location);
  const isAws = /(^|\.)amazonaws\.com(\.cn)?$/.test(endpoint.hostname);
  if (isAws && location.endpoint === undefined) return { ...rest, region };
  return { ...rest, endpoint: location.endpoint ?? endpoint.href.replace(/\/+$/, ''), region };
}
