/** A local stand-in for an OpenAI-compatible model, so that agent turns run without an API key or a network. */
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type LlmDouble = {
  /** For `models.providers.*.baseUrl`. */
  readonly baseUrl: string;
  /** Completions answered so far. */
  answered(): number;
  close(): Promise<void>;
};

const MODEL = 'echo-1';

export async function startLlmDouble(): Promise<LlmDouble> {
  let answered = 0;
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      if (request.url?.endsWith('/models') === true) return sendModels(response);
      answered += 1;
      const text = `Understood, this is answer ${answered}.`;
      if (/"stream"\s*:\s*true/.test(body)) return sendStream(response, text);
      return sendWhole(response, text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    baseUrl: `http://127.0.0.1:${port}/v1`,
    answered: () => answered,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The provider as an install's config takes it. */
export function llmProviderConfig(baseUrl: string): Record<string, unknown> {
  return {
    baseUrl,
    apiKey: 'no-secret-of-the-double',
    api: 'openai-completions',
    models: [
      {
        id: MODEL,
        name: 'Echo',
        reasoning: false,
        input: ['text'],
        cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
        contextWindow: 128_000,
        maxTokens: 4_096,
      },
    ],
  };
}

export const LLM_MODEL_REFERENCE = `double/${MODEL}`;

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString('utf8');
}

const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

function sendStream(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  const send = (choice: object, more: object = {}): void => {
    const chunk = { ...completion('chat.completion.chunk'), choices: [{ index: 0, ...choice }] };
    response.write(`data: ${JSON.stringify({ ...chunk, ...more })}\n\n`);
  };
  send({ delta: { role: 'assistant', content: '' }, finish_reason: null });
  for (const word of text.split(/(?<= )/)) send({ delta: { content: word }, finish_reason: null });
  send({ delta: {}, finish_reason: 'stop' }, { usage: USAGE });
  response.end('data: [DONE]\n\n');
}

function sendWhole(response: ServerResponse, text: string): void {
  const message = { role: 'assistant', content: text };
  sendJson(response, {
    ...completion('chat.completion'),
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    usage: USAGE,
  });
}

const sendModels = (response: ServerResponse): void =>
  sendJson(response, {
    object: 'list',
    data: [{ id: MODEL, object: 'model', owned_by: 'double' }],
  });

const completion = (object: string): object => ({
  id: 'chatcmpl-double',
  object,
  created: 1_767_225_600,
  model: MODEL,
});

function sendJson(response: ServerResponse, value: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}
