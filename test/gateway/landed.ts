/** What a pull must say of an install that landed. */
import assert from 'node:assert/strict';

export function assertLanded(summary: Record<string, unknown>): void {
  const { doctor, checklist, relocated } = summary as unknown as PullAnswer;
  assert.ok(relocated.length > 0);
  assert.equal(doctor.ran, true);
  const integrity = doctor.findings.filter(
    (finding) =>
      /state integrity/i.test(finding) &&
      !/OAuth dir (not present|missing)|Multiple state dir/.test(finding),
  );
  assert.deepEqual(integrity, []);
  assert.ok(checklist.length > 8);
  assert.deepEqual(
    checklist.filter(({ ok }) => !ok),
    [],
  );
}

type PullAnswer = {
  readonly doctor: { readonly ran: boolean; readonly findings: readonly string[] };
  readonly checklist: readonly { readonly ok: boolean }[];
  readonly relocated: readonly unknown[];
};
