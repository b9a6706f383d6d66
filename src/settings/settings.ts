/**
 * The settings file: read whole and checked, written whole and durably. Changes are made to what the file says at
 * that moment, by the process that holds the lock.
 */
import { chmodSync, lchownSync, readFileSync, statSync } from 'node:fs';
import { z } from 'zod';
import { bytePathFromText } from '../base/byte-path.ts';
import { FerryError, systemCode } from '../base/errors.ts';
import { writeFileDurable } from '../fs/sync.ts';
import type { Environment } from './environment.ts';
import { fileFailure, reasonOf } from './file-failure.ts';
import { lockSettings, type SettingsLock } from './lock.ts';
import { ELSEWHERE, makePrivateFolder, type Places } from './places.ts';
import {
  EMPTY_SETTINGS,
  SETTINGS_FORMAT,
  settingsSchema,
  type RepositorySettings,
  type SettingsData,
} from './schema.ts';

export class Settings {
  readonly #environment: Environment;
  readonly #places: Places;
  #data: SettingsData;
  #lock: SettingsLock | undefined;

  private constructor(environment: Environment, places: Places, data: SettingsData) {
    this.#environment = environment;
    this.#places = places;
    this.#data = data;
  }

  /** @throws file-unreadable, format-too-new */
  static load(environment: Environment, places: Places): Settings {
    return new Settings(environment, places, readSettings(places.settingsFile));
  }

  get data(): SettingsData {
    return this.#data;
  }

  get isLocked(): boolean {
    return this.#lock !== undefined;
  }

  /**
   * Makes this the one process that changes the settings, and reads them again.
   * @throws settings-locked
   */
  lock(): void {
    if (this.#lock) return;
    makePrivateFolder(this.#places.settingsFolder, this.#environment);
    this.#lock = lockSettings(this.#places.lockFile);
    this.#data = readSettings(this.#places.settingsFile);
  }

  unlock(): void {
    this.#lock?.release();
    this.#lock = undefined;
  }

  /** Durable when it returns. Takes the lock for a moment when this process does not hold it. */
  update(change: (data: SettingsData) => SettingsData): void {
    const isBorrowed = !this.isLocked;
    if (isBorrowed) this.lock();
    try {
      const next = change(this.#data);
      this.#write(next);
      this.#data = next;
    } finally {
      if (isBorrowed) this.unlock();
    }
  }

  repository(location: string): RepositorySettings | undefined {
    return this.#data.repositories.find((one) => one.location === location);
  }

  updateRepository(
    location: string,
    change: (repository: RepositorySettings) => RepositorySettings,
  ): void {
    this.update((data) => {
      const known = data.repositories.some((one) => one.location === location);
      const repositories = known ? data.repositories : [...data.repositories, { location }];
      return {
        ...data,
        repositories: repositories.map((one) => (one.location === location ? change(one) : one)),
      };
    });
  }

  #write(data: SettingsData): void {
    const { settingsFile } = this.#places;
    const text = `${JSON.stringify(settingsSchema.parse(data), undefined, 2)}\n`;
    try {
      writeFileDurable(bytePathFromText(settingsFile), text, 0o600);
      if (this.#environment.actsForOther) {
        const { uid, gid } = this.#environment.owner;
        lchownSync(settingsFile, uid, gid);
      }
    } catch (error) {
      throw fileFailure(`cannot write ${settingsFile}`, error, ELSEWHERE);
    }
  }
}

function readSettings(path: string): SettingsData {
  const text = readIfAny(path);
  if (text === undefined) return EMPTY_SETTINGS;
  const value = parse(text, path);
  const format = z.object({ format: z.int() }).safeParse(value).data?.format;
  if (format !== undefined && format > SETTINGS_FORMAT) {
    throw new FerryError(
      'format-too-new',
      `the settings in ${path} were written by a newer stateferry ` +
        `(format ${format}, this one knows ${SETTINGS_FORMAT})`,
      { hint: 'Update stateferry: npm install -g stateferry@latest' },
    );
  }
  const checked = settingsSchema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw unreadable(path, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not as expected'}`);
}

function readIfAny(path: string): string | undefined {
  try {
    keepPrivate(path);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw unreadable(path, reasonOf(error), error);
  }
}

/** The file holds the keys by which this machine writes: a copy or a backup tool may have opened it to others. */
function keepPrivate(path: string): void {
  const stats = statSync(path);
  const isOurs = stats.uid === process.getuid?.();
  if (isOurs && (stats.mode & 0o077) !== 0) chmodSync(path, 0o600);
}

function parse(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message may quote the text, which holds keys.
    throw unreadable(path, 'it is not JSON');
  }
}

function unreadable(path: string, why: string, cause?: unknown): FerryError {
  return new FerryError('file-unreadable', `the settings in ${path} cannot be read: ${why}`, {
    hint: 'Put a copy back; or move the file away and run stateferry join LOCATION.',
    cause,
  });
}
