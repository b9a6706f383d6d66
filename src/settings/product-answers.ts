/** What the products' commands said, kept in the cache: losing it costs a few seconds. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { FerryError, systemCode } from '../base/errors.ts';
import type { AnswerMemory } from '../gateway/discover/ask-product.ts';
import type { Environment } from './environment.ts';
import { makePrivateFolder, type Places } from './places.ts';

export function productAnswers(environment: Environment, { cacheFolder }: Places): AnswerMemory {
  const file = join(cacheFolder, 'product-answers.json');
  const load = (): Record<string, unknown> => fileSchema.safeParse(read(file)).data ?? {};
  return {
    recall: (configPath) => load()[configPath],
    remember: (configPath, answer) =>
      write(file, { ...load(), [configPath]: answer }, () =>
        makePrivateFolder(cacheFolder, environment),
      ),
  };
}

const fileSchema = z.record(z.string(), z.unknown());

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError || systemCode(error) !== undefined) return undefined;
    throw error;
  }
}

/** A cache that cannot be written is none; whoever needs the folder for more says so. */
function write(file: string, answers: Record<string, unknown>, makeFolder: () => void): void {
  const draft = `${file}.${process.pid}.tmp`;
  try {
    makeFolder();
    writeFileSync(draft, JSON.stringify(answers), { mode: 0o600 });
    renameSync(draft, file);
  } catch (error) {
    if (!(error instanceof FerryError) && systemCode(error) === undefined) throw error;
  }
}
