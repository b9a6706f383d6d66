/** Reading what commander parsed, with types. */
import { assert } from '../base/errors.ts';
import type { Call } from './verb.ts';

/** A required argument. */
export function argument(call: Call, at: number): string {
  const value = call.args[at];
  assert(typeof value === 'string', `argument ${at} is required, so it is there`);
  return value;
}

export function optionalArgument(call: Call, at: number): string | undefined {
  const value = call.args[at];
  return typeof value === 'string' ? value : undefined;
}

/** A variadic argument. */
export function argumentList(call: Call, at: number): readonly string[] {
  const value = call.args[at];
  return Array.isArray(value) ? value.map(String) : [];
}

export function textOption(call: Call, name: string): string | undefined {
  const value = call.options[name];
  return typeof value === 'string' ? value : undefined;
}

export function listOption(call: Call, name: string): readonly string[] {
  const value = call.options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

export const flag = (call: Call, name: string): boolean => call.options[name] === true;
