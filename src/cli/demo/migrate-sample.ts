/** The demo itself: sample → init → push while it goes on → pull under another name → checks. */
import { assert } from '../../base/errors.ts';
import { toBase64 } from '../../base/bytes.ts';
import { listens } from '../../gateway/running/running.ts';
import { writeSample, type Sample } from '../../gateway/sample/sample-install.ts';
import { createSecretFile } from '../../settings/secret-files.ts';
import { runInit } from '../commands/init.ts';
import { runPull } from '../commands/pull.ts';
import { runPush } from '../commands/push.ts';
import type { Summary } from '../output/summary.ts';
import type { PullSummary } from '../output/pull/summary.ts';
import type { Session } from '../session.ts';
import type { Report } from '../verb.ts';
import { toolCommand } from '../version.ts';
import { demoChecks } from './demo-checks.ts';
import type { DemoPlaces } from './demo-places.ts';
import { runAs, type Demo } from './demo-session.ts';
import type { RealProduct } from './real-product.ts';

export async function migrateSample(
  session: Session,
  places: DemoPlaces,
  product: RealProduct | undefined,
): Promise<Report> {
  const startedMs = session.clock.nowMs();
  const { old, new: next, folder } = places;
  session.output.step(`Everything happens in ${folder}`);
  const sample = writeSample({
    home: old.home,
    nodePath: process.execPath,
    port: await freePort(session.signal),
    ...(product === undefined && { binDir: places.binDir }),
  });
  session.output.step(product === undefined ? STAND_IN : `The product is ${product.version}`);
  const path = product?.path ?? [places.binDir];
  const pulled = await travel({ session, places, path }, sample);
  const checklist = [
    ...pulled.checklist,
    ...demoChecks({ oldHome: old.home, newHome: next.home, sample }),
  ];
  return {
    exit: checklist.every(({ ok }) => ok) ? 0 : 20,
    summary: {
      verb: 'demo',
      folder,
      from: { user: old.name, home: old.home },
      to: { user: next.name, home: next.home },
      product: { standIn: product === undefined, version: product?.version ?? 'stand-in' },
      snapshot: pulled.snapshot,
      files: pulled.files,
      bytes: pulled.bytes,
      edits: pulled.relocated.reduce((sum, one) => sum + one.edits, 0),
      checklist,
      look: lookAt(places),
      durationMs: Math.round(session.clock.nowMs() - startedMs),
    },
  };
}

const STAND_IN =
  'There is no product command here: a stand-in plays it, and its doctor is not a real one.';

/** init, push while the sample goes on, pull. */
async function travel(demo: Demo, sample: Sample): Promise<PullSummary> {
  const { session, places } = demo;
  const { old, new: next, repository, passphraseFile, kit } = places;
  try {
    const secret = toBase64(session.random(24));
    createSecretFile(passphraseFile, 'demo', session.environment).write(`${secret}\n`);
    const init = { line: `stateferry init ${repository} --kit ${kit}`, run: runInit };
    await runAs(demo, old, init, [repository], { kit, machine: 'old-machine' });
    const turns = setInterval(() => sample.goOn(), TURN_EVERY_MS);
    try {
      const push = { line: 'stateferry push   (the gateway keeps running)', run: runPush };
      await runAs(demo, old, push, []);
    } finally {
      clearInterval(turns);
    }
  } finally {
    sample.close();
  }
  const pull = { line: `stateferry pull -r ${repository}`, run: runPull };
  const { summary } = await runAs(demo, next, pull, []);
  return pullSummaryOf(summary);
}

/** Often enough to write into every capture. */
const TURN_EVERY_MS = 10;

function pullSummaryOf(summary: Summary): PullSummary {
  assert(summary.verb === 'pull', 'pull answers with a summary of pull');
  return summary;
}

function lookAt({ old, new: next, passphraseFile, repository }: DemoPlaces): string[] {
  return [
    `diff -rq ${old.home}/.openclaw ${next.home}/.openclaw`,
    `${toolCommand()} ls latest:state -r ${repository} --passphrase-file ${passphraseFile}`,
  ];
}

const PORT_FIRST = 28_789;
const PORTS_TRIED = 50;

/** Where no gateway of this machine listens. */
async function freePort(signal: AbortSignal): Promise<number> {
  for (let port = PORT_FIRST; port < PORT_FIRST + PORTS_TRIED; port++) {
    if (!(await listens(port, signal))) return port;
  }
  return PORT_FIRST;
}
