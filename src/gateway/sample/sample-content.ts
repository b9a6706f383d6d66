/** What stands in the files of the sample: made up, the same at every run, and without a single real secret. */

/** Numbers in [0, 1) from a seed: the sample is the same every time. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export function hex(random: () => number, bytes: number): string {
  return Array.from({ length: bytes }, () =>
    Math.floor(random() * 256)
      .toString(16)
      .padStart(2, '0'),
  ).join('');
}

/** In the form of a UUID, from the seed. */
export function sessionId(random: () => number): string {
  const digits = hex(random, 16);
  const parts = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16)];
  return [...parts, digits.slice(16, 20), digits.slice(20)].join('-');
}

const WORDS = [
  'the a note plan garden train invoice meeting tomorrow draft reply weather photo list buy call',
  'remember summary about with from before after because please thanks done later today never small',
].flatMap((line) => line.split(' '));

export function sentence(random: () => number, words: number): string {
  const chosen = Array.from({ length: words }, () => WORDS[Math.floor(random() * WORDS.length)]);
  return `${chosen.join(' ')}.`;
}

export type SamplePlaces = {
  readonly home: string;
  readonly stateDir: string;
  readonly research: string;
  readonly port: number;
};

/** JSON5 as people write it: comments, trailing commas, `~`, `${VAR}`, an include, and absolute paths. */
export const configText = ({
  stateDir,
  research,
  port,
}: SamplePlaces): string => `// Config of a sample install. Nothing in here is real.
{
  meta: { lastTouchedVersion: '2026.3.2', lastTouchedAt: '2026-03-04T08:15:00.000Z' },
  gateway: {
    mode: 'local',
    port: ${port},
    auth: { mode: 'token', token: '\${SAMPLE_GATEWAY_TOKEN}' }, // see .env
  },
  agents: {
    defaults: {
      workspace: '${stateDir}/workspace', // written by onboarding
      maxConcurrent: 4,
    },
    list: [
      { id: 'main', default: true },
      /* the one with a repository of its own */
      { id: 'research', workspace: '${research}', agentDir: '${stateDir}/agents/research/agent' },
      { id: 'family', workspace: '~/.openclaw/workspace-family', },
    ],
  },
  channels: { "$include": './channels.json5' },
  cron: { enabled: true },
}
`;

export const CHANNELS_TEXT = `// Included by openclaw.json.
{
  whatsapp: { enabled: true, dmPolicy: 'allowlist', allowFrom: ['+15550001'] },
  telegram: { enabled: true, botToken: '\${SAMPLE_TELEGRAM_TOKEN}' },
}
`;

export const DOTENV_TEXT = `# Values that the config refers to. Made up.
SAMPLE_GATEWAY_TOKEN=sample-gateway-token-not-a-secret
SAMPLE_TELEGRAM_TOKEN="000000:sample-telegram-token-not-a-secret"
`;
