/** What the product itself says of an install. */
import assert from 'node:assert/strict';
import { mustRun, type RealInstall } from '../support/real-install.ts';

/** Sessions per agent. January's generation knows only those of its default agent. */
export async function sessionsPerAgent(install: RealInstall): Promise<Map<string, number>> {
  const isJanuary = install.product.version.startsWith('2026.1.');
  const all = isJanuary ? [] : ['--all-agents'];
  const { stdout } = await mustRun(install, ['sessions', ...all, '--json']);
  const answer = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    sessions: { agentId?: string; key: string }[];
  };
  const agents = isJanuary ? install.agents.slice(0, 1) : install.agents;
  const counts = new Map<string, number>(agents.map((agent) => [agent, 0]));
  for (const { agentId, key } of answer.sessions) {
    const agent = agentId ?? key.split(':')[1] ?? '';
    counts.set(agent, (counts.get(agent) ?? 0) + 1);
  }
  for (const [agent, count] of counts) assert.ok(count > 0, `sessions of ${agent}`);
  return counts;
}

/** Needs its gateway. */
export async function addCronJob(install: RealInstall): Promise<void> {
  const args = 'cron add --name nightly --message hello --session isolated --json'.split(' ');
  await mustRun(install, [...args, '--cron', '0 3 * * *', '--token', install.token]);
}

/** Needs its gateway. */
export async function cronJobs(install: RealInstall): Promise<string[]> {
  const args = ['cron', 'list', '--json', '--token', install.token];
  const { stdout } = await mustRun(install, args);
  const answer = JSON.parse(stdout.slice(stdout.indexOf('{'))) as { jobs: { name: string }[] };
  return answer.jobs.map(({ name }) => name);
}
