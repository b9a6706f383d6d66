/** The rights of a role as a policy in the language of AWS, which other servers speak too. */
import { rightsOf, type Right, type Role } from './rights.ts';

export type Policy = {
  readonly Version: '2012-10-17';
  readonly Statement: readonly Statement[];
};

export type Statement = {
  readonly Sid: string;
  readonly Effect: 'Allow';
  readonly Principal?: { readonly AWS: readonly string[] };
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
};

export type PolicyRequest = {
  readonly role: Role;
  readonly bucket: string;
  /** Without slashes at its ends; '' for the bucket's top. */
  readonly prefix: string;
  /** The id of the machine. */
  readonly writer: string;
  /** For a policy of the bucket, which names whom it is for; one that is attached to a user has none. */
  readonly principal?: string | undefined;
};

export function policyFor(request: PolicyRequest): Policy {
  const { role, bucket, prefix, writer, principal } = request;
  const arn = `arn:aws:s3:::${bucket}`;
  const head = prefix === '' ? arn : `${arn}/${prefix}`;
  const statement = ({ sid, actions, names }: Right): Statement => ({
    Sid: sid,
    Effect: 'Allow',
    ...(principal !== undefined && { Principal: { AWS: [principal] } }),
    Action: actions,
    Resource: names?.map((name) => `${head}/${name}`) ?? [arn],
  });
  return { Version: '2012-10-17', Statement: rightsOf(role, writer).map(statement) };
}
