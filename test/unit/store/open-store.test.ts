import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, test } from 'node:test';
import { needsPathStyle } from '../../../src/store/s3-client.ts';

describe('opening a store', () => {
  test('a folder is opened without loading the SDK', () => {
    const source = new URL('../../../src/store/', import.meta.url).href;
    const script = `
      import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ resolve(name, context, next) { seen.push(name); return next(name, context); } });
      const { parseLocation } = await import('${source}location.ts');
      const { openStore } = await import('${source}open-store.ts');
      const { probeStore } = await import('${source}probe.ts');
      await openStore(parseLocation('.', '/tmp'), { emit() {} });
      const sdk = seen.filter((name) => /aws|smithy|s3-/.test(name));
      console.log(JSON.stringify({ sdk, loaded: seen.length }));`;
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script]);
    const { sdk, loaded } = JSON.parse(output.toString()) as { sdk: string[]; loaded: number };
    assert.deepEqual(sdk, []);
    assert.ok(loaded > 5);
  });

  test('path style where a host name cannot carry the bucket', () => {
    const path = (endpoint: string, bucket = 'bucket'): boolean =>
      needsPathStyle(new URL(endpoint), bucket);
    assert.ok(path('http://127.0.0.1'));
    assert.ok(path('http://[::1]/'));
    assert.ok(path('http://localhost'));
    assert.ok(path('https://s3.example.com:8443'));
    assert.ok(path('https://x.supabase.co/storage/v1/s3'));
    assert.ok(path('https://s3.example.com', 'with.dots'));
    assert.ok(path('https://s3.example.com', 'Upper'));
    assert.ok(!path('https://s3.eu-central-1.amazonaws.com'));
    assert.ok(!path('https://account.r2.cloudflarestorage.com'));
  });
});
