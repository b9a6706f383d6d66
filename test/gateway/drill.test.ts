/**
 * A drill on the very machine that the snapshot is of: the product's own doctor works on the copy, and nothing of the
 * originals, which lie where the copied config says, is touched.
 */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { bytePathFromText } from '../../src/base/byte-path.ts';
import { walkTree } from '../../src/fs/walk.ts';
import { startLlmDouble, type LlmDouble } from '../support/llm-double.ts';
import type { Product } from '../support/products.ts';
import {
  installAt,
  onboard,
  startGateway,
  TOKEN,
  type RealInstall,
  type RunningGateway,
} from '../support/real-install.ts';
import { freePort } from '../support/ports.ts';
import { ferryIn, mustSucceed, type Ferry } from './ferry.ts';
import { plantByHand } from './planted.ts';
import { gatewayRing } from './row-ring.ts';

await gatewayRing('gateway-2026.3.2', (product) => defineDrill(product));
await gatewayRing('gateway-2026.9.6', (product) => defineDrill(product));

type Line = { readonly check: string; readonly ok: boolean; readonly found: string };

function defineDrill(product: Product): void {
  const folder = mkdtempSync(join(tmpdir(), 'drill-real-'));
  const home = `${folder}/homes/alice`;
  const lab = `${folder}/disks/lab`;
  const sandboxes = `${folder}/sandboxes`;
  let llm: LlmDouble;
  let install: RealInstall;
  let ferry: Ferry;
  let gateway: RunningGateway | undefined;

  before(async () => {
    llm = await startLlmDouble();
    for (const path of [home, lab, sandboxes]) mkdirSync(path, { recursive: true, mode: 0o750 });
    install = installAt({ product, home }, { port: await freePort(), token: TOKEN });
    await onboard(install);
    plantByHand(install, llm.baseUrl);
    // An agent at work on another disk, which a rule for the home alone would leave where it is.
    const text = readFileSync(install.configPath, 'utf8');
    writeFileSync(install.configPath, text.replace(`${install.stateDir}/workspace-lab`, lab));
    gateway = await startGateway(install);
    for (const agent of install.agents) await gateway.turn(agent, `A first word to ${agent}.`);
    await gateway.stop();
    ferry = ferryIn({ settings: join(folder, 'ferry'), env: install.env });
    mustSucceed(await ferry.run('init', `${folder}/usb`, '--kit', join(folder, 'kit.txt')));
    mustSucceed(await ferry.run('push'));
  });
  after(async () => {
    await gateway?.stop();
    await llm.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test(`${product.name} ${product.version}: the doctor is asked, and no original is touched`, async () => {
    const temporary = install.env['TMPDIR'] ?? '';
    const originals = [home, lab, temporary];
    const earlier = originals.map(everything);
    const fixed = readdirSync('/tmp').filter((name) => name.startsWith(product.name));
    const { summary } = mustSucceed(await ferry.run('drill', '--folder', sandboxes));
    assert.deepEqual(originals.map(everything), earlier);
    assert.deepEqual(
      readdirSync('/tmp').filter((name) => name.startsWith(product.name)),
      fixed,
    );
    assert.deepEqual(readdirSync(sandboxes), []);
    assert.equal((summary['doctor'] as { ran: boolean }).ran, true);
    const lines = summary['checklist'] as Line[];
    assert.deepEqual(
      lines.filter(({ ok }) => !ok),
      [],
    );
    const found = new Map(lines.map((line) => [line.check, line.found]));
    assert.equal(found.get('doctor: state integrity'), 'no findings');
    assert.equal(found.get('originals on this machine'), 'unchanged');
    // March keeps none until its memory is indexed.
    assert.match(found.get('databases (integrity_check)') ?? '', /^\d+ whole$/);
    assert.match(found.get('records of transcripts') ?? '', /^[1-9]\d* parsed$/);
    for (const agent of install.agents) assert.equal(found.get(`sessions of ${agent}`), '1');
    assert.ok(found.has(`files in workspace ${lab}`));
  });

  test('beside the running gateway, which hears nothing of it', async () => {
    gateway = await startGateway(install);
    const heard = gateway.output();
    const { summary } = mustSucceed(await ferry.run('drill', '--folder', sandboxes));
    assert.equal((summary['doctor'] as { ran: boolean }).ran, true);
    const since = gateway.output().slice(heard.length);
    assert.doesNotMatch(since, /\[ws\]|connect|handshake|unauthorized|pairing/i);
    await gateway.turn('main', 'Are you still there?');
    await gateway.stop();
  });
}

/** With the time of the last change of anything about it: what is made and removed again is seen at its folder. */
function everything(folder: string): string[] {
  const lines = walkTree(bytePathFromText(folder)).map((item) =>
    item.kind === 'entry'
      ? `${item.path} ${item.type} ${item.mode} ${item.size} ${item.mtimeNs} ${item.ctimeNs}`
      : `${item.path} ${item.kind}`,
  );
  const all = [...lines];
  assert.ok(all.length > 1 || readdirSync(folder).length === 0);
  return all;
}
