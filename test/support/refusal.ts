import assert from 'node:assert/strict';
import { FerryError, type ErrorCode } from '../../src/base/errors.ts';

/** The error of work that must not go well. @param code which it must be; any but a bug unless told */
export async function refusalOf(work: Promise<unknown>, code?: ErrorCode): Promise<FerryError> {
  const error = await work.then(
    () => assert.fail('it went well'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof FerryError, String(error));
  if (code === undefined) assert.notEqual(error.code, 'bug', error.message);
  else assert.equal(error.code, code, error.message);
  return error;
}
