/** Who is told of what a schedule does, and what another machine notices when nothing arrives. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, renameSync, statSync, utimesSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { z } from 'zod';
import { succeeded, type Answer } from '../support/cli-run.ts';
import { folder, longAgo, makeScene, skip, yesterday, type Scene } from './schedule-scene.ts';

after(() => folder.remove());

const TOKEN = 'planted-token-0815';
const heardSchema = z.object({
  event: z.string(),
  job: z.string(),
  code: z.string().nullable(),
  text: z.string(),
});

/** What a webhook and a ping address hear. */
class Listener {
  readonly heard: { readonly path: string; readonly body: string }[] = [];
  status = 200;
  readonly #server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString('utf8')));
    request.on('end', () => {
      this.heard.push({ path: request.url ?? '', body });
      response.writeHead(this.status).end();
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    assert.ok(typeof address === 'object' && address !== null);
    return `http://127.0.0.1:${address.port}`;
  }

  stop(): void {
    this.#server.close();
  }

  /** Since the last time. */
  take(): { hooks: z.infer<typeof heardSchema>[]; pings: string[] } {
    const all = this.heard.splice(0);
    return {
      hooks: all
        .filter(({ path }) => path.startsWith('/hook'))
        .map(({ body }) => heardSchema.parse(JSON.parse(body))),
      pings: all.filter(({ path }) => path.startsWith('/ping')).map(({ path }) => path),
    };
  }
}

describe('a push that fails and works again', { skip }, () => {
  const listener = new Listener();
  let scene: Scene;
  let told = '';
  before(async () => {
    const url = await listener.start();
    scene = await makeScene('grace', ['systemd']);
    told = join(scene.machine.folder, 'told');
    const addresses = [
      '--notify-webhook',
      `${url}/hook/${TOKEN}`,
      '--ping',
      `${url}/ping/${TOKEN}`,
    ];
    const command = `(echo "$STATEFERRY_EVENT"; cat) >> '${told}'`;
    const words = [...addresses, '--notify-command', command, '--yes', '--json'];
    const answer = succeeded(await scene.run('schedule', 'install', ...words));
    notShown(answer);
    assert.match(answer.stdout, /a webhook at http:\/\/127\.0\.0\.1:\d+\/…/);
  });
  after(() => listener.stop());

  const notShown = (answer: Answer): void =>
    assert.ok(
      !(answer.stdout + answer.stderr).includes(TOKEN),
      'an address is as good as a secret',
    );
  const due = (): void =>
    scene.change((schedule) => {
      const { went } = z.object({ went: z.object({ push: z.looseObject({}) }) }).parse(schedule);
      schedule['installed'] = longAgo();
      schedule['went'] = { push: { ...went.push, ok: yesterday() } };
    });

  test('each way of telling is tried when it is installed; addresses lie in a private file', () => {
    const { hooks, pings } = listener.take();
    assert.deepEqual(
      hooks.map(({ event }) => event),
      ['installed'],
    );
    assert.deepEqual(pings, [`/ping/${TOKEN}`]);
    assert.match(
      readFileSync(told, 'utf8'),
      /^installed\nstateferry on \S+: notifications of push/,
    );
    const file = join(scene.machine.home, '.config/stateferry/settings.json');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.match(readFileSync(file, 'utf8'), new RegExp(TOKEN));
  });

  test('a failure is told once a day, and pinged every time', async () => {
    due();
    renameSync(scene.repository, `${scene.repository}-away`);
    const answer = await scene.run('schedule', 'run');
    assert.equal(answer.exit, 10);
    notShown(answer);
    const first = listener.take();
    assert.deepEqual(
      first.hooks.map(({ event, job, code }) => [event, job, code]),
      [['failed', 'push', 'repository-missing']],
    );
    assert.match(first.hooks[0]?.text ?? '', /^stateferry on \S+: push FAILED: there is no folder/);
    assert.deepEqual(first.pings, [`/ping/${TOKEN}/fail`]);
    assert.match(readFileSync(told, 'utf8'), /^failed$/m);
    assert.equal((await scene.run('schedule', 'run')).exit, 10);
    assert.deepEqual(listener.take(), { hooks: [], pings: [`/ping/${TOKEN}/fail`] });
  });

  test('so is that it works again; and then silence but for the ping', async () => {
    renameSync(`${scene.repository}-away`, scene.repository);
    succeeded(await scene.run('schedule', 'run'));
    const back = listener.take();
    assert.deepEqual(
      back.hooks.map(({ event }) => event),
      ['recovered'],
    );
    assert.deepEqual(back.pings, [`/ping/${TOKEN}`]);
    assert.match(readFileSync(told, 'utf8'), /^recovered$/m);
    due();
    succeeded(await scene.run('schedule', 'run'));
    assert.deepEqual(listener.take(), { hooks: [], pings: [`/ping/${TOKEN}`] });
  });

  test('who cannot be told fails no push; it is said, shown by status, and over when it works', async () => {
    listener.status = 404;
    due();
    const answer = succeeded(await scene.run('schedule', 'run', '--verbose'));
    assert.match(
      answer.stderr,
      /note: nobody could be told: the ping address answered with status 404/,
    );
    notShown(answer);
    const status = succeeded(await scene.run('status'));
    assert.match(status.stdout, /nobody could be told of the last run: the ping address/);
    notShown(status);
    listener.status = 200;
    due();
    succeeded(await scene.run('schedule', 'run'));
    assert.doesNotMatch(succeeded(await scene.run('status')).stdout, /nobody could be told/);
  });

  test('what is no address is refused without being repeated', async () => {
    const answer = await scene.run('schedule', 'install', '--yes', '--ping', `ftp://${TOKEN}`);
    assert.equal(answer.exit, 2);
    notShown(answer);
  });
});

describe('nothing arrives', { skip }, () => {
  let scene: Scene;
  let watcher: Scene;
  const look = (): Promise<Answer> => {
    watcher.change((schedule) => {
      schedule['installed'] = longAgo();
      schedule['went'] = {};
    });
    return watcher.run('schedule', 'run', '--json');
  };
  const age = (days: number): void => {
    const at = Date.now() / 1000 - days * 86_400;
    const path = join(scene.repository, 'snapshots');
    const files = readdirSync(path, { recursive: true, encoding: 'utf8' });
    assert.ok(files.length > 1);
    for (const name of files) utimesSync(join(path, name), at, at);
  };
  before(async () => {
    scene = await makeScene('heidi', ['cron']);
    watcher = await makeScene('ivan', ['cron']);
  });

  test('is noticed by a machine that has neither joined nor any secret', async () => {
    const words = ['install', '--no-push', '--watch', '3d', '-r', scene.repository, '--yes'];
    const { proved } = succeeded(await watcher.run('schedule', ...words, '--json')).last();
    assert.deepEqual(proved, { push: false, installs: [] });
    const none = await look();
    assert.equal(none.exit, 24);
    assert.match(none.stdout, /nothing of any other machine is in/);
    succeeded(await scene.run('push'));
    succeeded(await look());
    age(2);
    succeeded(await look());
    age(5);
    const late = await look();
    assert.equal(late.exit, 24);
    assert.match(late.stdout, /nothing has arrived from the machine [0-9a-f]{8} in .* for 5 days/);
    const status = await watcher.run('schedule', 'status');
    assert.match(status.stdout, /the last watch of the schedule failed/);
  });

  test('a repository that cannot be opened is no schedule', async () => {
    const words = ['install', '--no-push', '--watch', '3d', '-r', join(folder.path, 'nowhere')];
    const answer = await watcher.run('schedule', ...words, '--yes', '--json');
    assert.equal(answer.exit, 10);
    assert.match(String(answer.last()['message']), /nothing was installed/);
  });
});
