/** Names that a root has through links follow it, so that a path that is written by way of one still leads there. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { movePath } from '../../../../src/gateway/relocate/path-map.ts';
import { moveMap } from '../../../../src/pull/places/move-map.ts';

type Roots = Parameters<typeof moveMap>[1]['roots'];

function mapped(
  path: string,
  aliases: readonly string[],
  more: Roots = [],
): (old: string) => string {
  const root = { name: 'state', kind: 'state' as const, path, aliases: [...aliases], only: null };
  const record = { roots: [root, ...more] } as Parameters<typeof moveMap>[1];
  const body = { install: { home: '/home/al' } } as Parameters<typeof moveMap>[0];
  const map = moveMap(body, record, { home: '/users/bo', wanted: [] });
  return (old) => movePath(map, old) ?? old;
}

test('a link of the home that does not come along', () => {
  const to = mapped('/home/al/.resonix', ['/home/al/.clawdbot']);
  assert.equal(to('/home/al/.clawdbot/workspace'), '/users/bo/.resonix/workspace');
  assert.equal(to('/home/al/.resonix/workspace'), '/users/bo/.resonix/workspace');
  assert.equal(to('/home/al/.clawdbot-work/x'), '/users/bo/.clawdbot-work/x');
});

test('a name outside the home follows the one in it', () => {
  const to = mapped('/home/al/.openclaw', ['/data/openclaw']);
  assert.equal(to('/data/openclaw/agents'), '/users/bo/.openclaw/agents');
});

test('a link that lies in a root stays the way that it is', () => {
  const workspace = {
    name: 'workspace',
    kind: 'workspace' as const,
    path: '/home/al/notes',
    aliases: ['/home/al/.openclaw/notes'],
    only: null,
  };
  const to = mapped('/home/al/.openclaw', [], [workspace]);
  assert.equal(to('/home/al/.openclaw/notes/a'), '/users/bo/.openclaw/notes/a');
});
