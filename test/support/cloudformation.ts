/** Deploying a template on a server that speaks CloudFormation, and asking IAM what came of it. Nothing is signed. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestServer } from './servers.ts';

export type Stack = { readonly outputs: Readonly<Record<string, string>> };

const WAIT_MS = 60_000;

export async function deploy(
  server: TestServer,
  name: string,
  template: string,
  parameters: Readonly<Record<string, string>>,
): Promise<Stack> {
  const given: Record<string, string> = {};
  for (const [index, [key, value]] of Object.entries(parameters).entries()) {
    given[`Parameters.member.${index + 1}.ParameterKey`] = key;
    given[`Parameters.member.${index + 1}.ParameterValue`] = value;
  }
  await ask(server, 'cloudformation', {
    Action: 'CreateStack',
    StackName: name,
    TemplateBody: template,
    'Capabilities.member.1': 'CAPABILITY_IAM',
    ...given,
  });
  for (let waitedMs = 0; ; waitedMs += 200) {
    const text = await ask(server, 'cloudformation', { Action: 'DescribeStacks', StackName: name });
    const status = textOf(text, 'StackStatus');
    if (status === 'CREATE_COMPLETE') return { outputs: outputsOf(text) };
    assert.equal(status, 'CREATE_IN_PROGRESS', text);
    assert.ok(waitedMs < WAIT_MS, `the stack ${name} is never complete`);
    await sleep(200);
  }
}

/** The document of a managed policy, in its default version. */
export async function policyDocument(server: TestServer, arn: string): Promise<unknown> {
  const about = await ask(server, 'iam', { Action: 'GetPolicy', PolicyArn: arn });
  const version = textOf(about, 'DefaultVersionId');
  const named = { Action: 'GetPolicyVersion', PolicyArn: arn, VersionId: version };
  return JSON.parse(decodeURIComponent(textOf(await ask(server, 'iam', named), 'Document')));
}

/** What is attached to a user. */
export async function policiesOf(server: TestServer, user: string): Promise<readonly string[]> {
  const named = { Action: 'ListAttachedUserPolicies', UserName: user };
  return allOf(await ask(server, 'iam', named), 'PolicyArn');
}

const VERSIONS = { cloudformation: '2010-05-15', iam: '2010-05-08' } as const;

async function ask(
  { endpoint, region, accessKeyId }: TestServer,
  service: keyof typeof VERSIONS,
  fields: Readonly<Record<string, string>>,
): Promise<string> {
  const scope = `${accessKeyId}/20260101/${region}/${service}/aws4_request`;
  const answer = await fetch(endpoint, {
    method: 'POST',
    headers: {
      authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=none`,
    },
    body: new URLSearchParams({ Version: VERSIONS[service], ...fields }),
  });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

function outputsOf(text: string): Record<string, string> {
  const keys = allOf(text, 'OutputKey');
  const values = allOf(text, 'OutputValue');
  return Object.fromEntries(keys.map((key, index) => [key, values[index] ?? '']));
}

const textOf = (xml: string, name: string): string => allOf(xml, name)[0] ?? '';

const allOf = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) =>
    text.replaceAll('&amp;', '&').replaceAll('&quot;', '"'),
  );
