/** A product's command that hangs, prints anything, or cannot even start: bounded, and told as it is. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { FerryError } from '../../src/base/errors.ts';
import type { FerryEvent } from '../../src/base/events.ts';
import { BRANDS, findBrand } from '../../src/gateway/install/brands.ts';
import { checkDoctor } from '../../src/gateway/landing/checklist.ts';
import { runDoctor, validateConfig } from '../../src/gateway/product/doctor.ts';
import { gatewayStatus } from '../../src/gateway/product/gateway-status.ts';
import { findProductCli, type ProductCli } from '../../src/gateway/product/product-cli.ts';
import { processLives } from '../../src/gateway/running/processes.ts';
import { writeSample } from '../../src/gateway/sample/sample-install.ts';
import { runProcess } from '../../src/process/run.ts';
import { writeGatewayDouble, type DoubleManners } from '../support/gateway-double.ts';
import {
  hideOldHome,
  landingWorld,
  pullInto,
  pushHome,
  type LandingWorld,
} from '../support/landing.ts';
import { freePort } from '../support/ports.ts';
import { scanTree } from '../support/tree.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'product-command-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const brand = findBrand(BRANDS, 'openclaw') ?? assert.fail();
const { signal } = new AbortController();
const target = {
  home: folder,
  stateDir: join(folder, '.openclaw'),
  configPath: join(folder, '.openclaw/openclaw.json'),
  profile: 'default',
};
let commands = 0;

const commandWith = (manners: DoubleManners): Promise<ProductCli> =>
  commandOf((bin) => void writeGatewayDouble(bin, manners));

async function commandOf(write: (bin: string) => void): Promise<ProductCli> {
  commands += 1;
  const bin = join(folder, `bin-${commands}`);
  write(bin);
  const cli = await findProductCli(
    brand,
    { run: runProcess, env: { PATH: `${bin}:/usr/bin:/bin` } },
    { target, signal },
  );
  return cli ?? assert.fail();
}

describe('a command', () => {
  test('that hangs is ended with all that it has started', async (context) => {
    const fifo = join(folder, 'fifo');
    spawnSync('mkfifo', [fifo]);
    const hangs = `#!/bin/sh
case "$1" in doctor) sleep 600 & echo $! > '${fifo}'; wait;; *) echo 2026.3.2;; esac
`;
    const cli = await commandOf((bin) => {
      mkdirSync(bin);
      writeFileSync(join(bin, 'openclaw'), hangs, { mode: 0o755 });
    });
    // Time does not pass before the shell has started its child.
    context.mock.timers.enable({ apis: ['setTimeout'] });
    const running = runDoctor(cli, { target, signal, timeoutMs: 60_000 });
    const child = Number(await readFile(fifo, 'utf8'));
    assert.ok(child > 0 && processLives(child));
    context.mock.timers.tick(60_000);
    const doctor = await running;
    context.mock.timers.reset();
    assert.equal(doctor.timedOut, true);
    assert.match(checkDoctor(doctor).found, /^no answer within \d+ s$/);
    await until(() => !processLives(child));
  });

  test('that prints megabytes is read within bounds', async () => {
    const cli = await commandWith({ answers: { doctor: { bytes: 24 * 1024 * 1024 } } });
    const doctor = await runDoctor(cli, { target, signal });
    assert.ok(doctor.output.length < 5 * 1024 * 1024);
    assert.equal(checkDoctor(doctor).ok, false);
    assert.ok(checkDoctor(doctor).found.length < 300);
  });

  test('that prints garbage and exits 0 has said nothing', async () => {
    const stdout = '\u001b[2J{"half": [1, 2\n[[[\n';
    const answers = {
      'config validate': { stdout },
      'gateway status': { stdout },
      doctor: { stdout },
    };
    const cli = await commandWith({ answers });
    assert.equal((await validateConfig(cli, { target, signal })).valid, undefined);
    assert.equal(await gatewayStatus(cli, { target, signal }), undefined);
    assert.equal(checkDoctor(await runDoctor(cli, { target, signal })).ok, false);
  });
});

describe('a pull', () => {
  let world: LandingWorld;

  before(async () => {
    world = await landingWorld(join(folder, 'world'));
    const { oldHome, binDir } = world;
    const port = await freePort();
    writeSample({ home: oldHome, binDir, nodePath: process.execPath, port }).close();
    await pushHome(world);
    hideOldHome(world);
  });

  const places = (name: string): { home: string; bin: string; path: string } => {
    const [home, bin] = [join(folder, 'homes', name), join(folder, 'bins', name)];
    for (const path of [home, bin]) mkdirSync(path, { recursive: true });
    return { home, bin, path: `${bin}:/usr/bin:/bin` };
  };
  const script = (bin: string, text: string): void =>
    writeFileSync(join(bin, 'openclaw'), text, { mode: 0o755 });

  const cases: readonly (readonly [string, (bin: string) => void, RegExp])[] = [
    [
      'is a link to nothing',
      (bin) => symlinkSync('/nowhere/openclaw.mjs', join(bin, 'openclaw')),
      /openclaw is a link to nothing \(.*\/openclaw\)/,
    ],
    [
      'needs another Node',
      (bin) =>
        script(
          bin,
          '#!/bin/sh\necho "openclaw: Node.js v22.12+ is required (current: v20)." >&2\nexit 1\n',
        ),
      /tells no version: exit 1: openclaw: Node\.js v22\.12\+ is required/,
    ],
    [
      'finds no Node at all',
      (bin) => script(bin, '#!/usr/bin/env node-of-nobody\n'),
      /tells no version: exit 127: .*node-of-nobody/,
    ],
    [
      'cannot be executed',
      (bin) => script(bin, '#!/nowhere/node\n'),
      /tells no version: cannot start .*openclaw/,
    ],
    [
      'tells something else',
      (bin) => script(bin, '#!/bin/sh\necho hello\n'),
      /tells no version: exit 0: hello/,
    ],
  ];
  for (const [what, prepare, expected] of cases) {
    test(`where the command ${what} is refused, and nothing was changed`, async () => {
      const { home, bin, path } = places(what.replaceAll(' ', '-'));
      prepare(bin);
      const error = await pullInto(world, { home, path }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof FerryError, String(error));
      assert.equal(error.exit, 5);
      assert.match(error.message, expected);
      assert.deepEqual([...scanTree(home).keys()], ['']);
    });
  }

  test('where the doctor prints garbage and exits 0 has not landed, and says what it printed', async () => {
    const { home, bin, path } = places('garbage');
    const bytes = 1024 * 1024;
    writeGatewayDouble(bin, { answers: { doctor: { stdout: 'segmentation fault\n', bytes } } });
    const events: FerryEvent[] = [];
    const pulled = await pullInto(world, { home, path, events });
    assert.equal(pulled.landed?.ok, false);
    const line = pulled.landed.checklist.find(({ check }) => check === 'doctor: state integrity');
    assert.equal(line?.found, 'exit 0: segmentation fault');
    const told = events.filter((event) => event.type === 'command');
    assert.ok(told.length > 0);
    assert.ok(told.every(({ output }) => output.length < 70_000));
  });
});
