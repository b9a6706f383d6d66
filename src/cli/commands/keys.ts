/** keys: list, add, remove what opens the repository, and a new recovery kit. */
import { FerryError } from '../../base/errors.ts';
import { formatRecoveryCode, RECOVERY_SECRET_BYTES } from '../../crypto/recovery-code.ts';
import { addKey, chooseKey, listKeys, removeKey } from '../../maintenance/keys.ts';
import { timeText } from '../../repository/objects.ts';
import type { OpenedIdentity } from '../../repository/open.ts';
import { createSecretFile } from '../../settings/secret-files.ts';
import { printLocation, type Location } from '../../store/location.ts';
import { portableLocation } from '../../store/portable-location.ts';
import type { ObjectStore } from '../../store/object-store.ts';
import { argumentList, textOption } from '../call.ts';
import { confirm } from '../confirm.ts';
import { kitPage } from '../members/kit.ts';
import { kitTarget } from '../members/kit-target.ts';
import type { KeysSummary } from '../output/summary.ts';
import { READER_KEY_BYTES, readerKeyText } from '../members/reader-key.ts';
import { identityAt } from '../places/repositories.ts';
import { anotherPassphrase, meantLocation, type Session } from '../session.ts';
import type { Call, Report } from '../verb.ts';

export async function runKeys(call: Call, session: Session): Promise<Report> {
  const wish = wishOf(argumentList(call, 0));
  const location = meantLocation(session);
  const { store, opened } = await identityAt(session, location);
  const open = { session, location, store, opened };
  const done = await perform(open, wish, textOption(call, 'newPassphraseFile'));
  const keys = (await listKeys(store, opened, session.signal)).map(({ storedMs, ...line }) => ({
    ...line,
    time: timeText(storedMs),
  }));
  return { summary: { verb: 'keys', repository: printLocation(location), ...done, keys } };
}

type Wish =
  | { readonly do: 'list' }
  | { readonly do: 'add passphrase' }
  | { readonly do: 'add recovery'; readonly file: string | undefined }
  | { readonly do: 'add reader'; readonly file: string }
  | { readonly do: 'remove'; readonly id: string };

/** `keys kit FILE` is what `keys add recovery FILE` does: the code and its page are made together. */
function wishOf(words: readonly string[]): Wish {
  const [action = 'list', ...rest] = words;
  const [first, second, ...more] = rest;
  if (action === 'list' && first === undefined) return { do: 'list' };
  if (action === 'kit' && second === undefined) return { do: 'add recovery', file: first };
  if (action === 'remove' && first !== undefined && second === undefined) {
    return { do: 'remove', id: first };
  }
  if (action === 'add' && more.length === 0) {
    if (first === 'passphrase' && second === undefined) return { do: 'add passphrase' };
    if (first === 'recovery') return { do: 'add recovery', file: second };
    if (first === 'reader' && second !== undefined) return { do: 'add reader', file: second };
  }
  throw new FerryError('usage', `keys ${words.join(' ')}: a word is missing, or one too many`, {
    hint: 'keys list | add passphrase | add recovery FILE | add reader FILE | kit FILE | remove ID',
  });
}

type Open = {
  readonly session: Session;
  readonly location: Location;
  readonly store: ObjectStore;
  readonly opened: OpenedIdentity;
};

type Done = Pick<KeysSummary, 'added' | 'removed' | 'file'>;

async function perform(open: Open, wish: Wish, newFile: string | undefined): Promise<Done> {
  const nothing: Done = { added: null, removed: null, file: null };
  switch (wish.do) {
    case 'list':
      return nothing;
    case 'add passphrase':
      return { ...nothing, added: await addPassphrase(open, newFile) };
    case 'add recovery':
      return { ...nothing, added: await addRecovery(open, wish.file), file: wish.file ?? null };
    case 'add reader':
      return { ...nothing, added: await addReader(open, wish.file), file: wish.file };
    default:
      return { ...nothing, removed: await remove(open, wish.id) };
  }
}

async function addPassphrase(open: Open, file: string | undefined): Promise<string> {
  const { session, store, opened } = open;
  const passphrase = await anotherPassphrase(session, file);
  const secret = { with: 'passphrase', passphrase } as const;
  return addKey(store, opened, secret, session, session.signal);
}

/** The page is written last: a page that exists opens the repository. */
async function addRecovery(open: Open, file: string | undefined): Promise<string> {
  const { session, location, store, opened } = open;
  const kit = kitTarget(session, file, {
    option: 'keys kit',
    need: 'the new kit needs a FILE here',
  });
  const code = session.random(RECOVERY_SECRET_BYTES);
  const secret = { with: 'recovery code', code } as const;
  const id = await addKey(store, opened, secret, session, session.signal);
  const recoveryCode = formatRecoveryCode(code);
  const time = timeText(session.clock.nowMs());
  const anywhere = await portableLocation(location);
  kit.write(kitPage({ recoveryCode, location: anywhere, repository: opened.id, time }));
  return id;
}

async function addReader(open: Open, file: string): Promise<string> {
  const { session, store, opened } = open;
  const target = createSecretFile(file, 'keys add reader', session.environment);
  session.atEnd(() => target.discard());
  const key = session.random(READER_KEY_BYTES);
  const id = await addKey(store, opened, { with: 'reader key', key }, session, session.signal);
  target.write(readerKeyText(key));
  return id;
}

async function remove(open: Open, typed: string): Promise<string> {
  const { session, store, opened } = open;
  const key = chooseKey(await listKeys(store, opened, session.signal), typed);
  const what = key.opensWith === 'damaged' ? 'damaged key' : key.opensWith;
  await confirm(session, `Remove the ${what} ${key.id.slice(0, 8)}?`);
  await removeKey(store, opened, key, session.signal);
  return key.id;
}
