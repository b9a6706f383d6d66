/** Holds source files against the tables of layers.ts. Works on text, so that a test can feed it a forbidden import. */
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { DOORS, LAYERS, PARTS, PURE, TOP_FILES } from './layers.ts';

/** Path relative to src → text. */
export type Sources = ReadonlyMap<string, string>;

export type Scan = { readonly importCount: number; readonly findings: readonly string[] };

export function scanSources(sources: Sources): Scan {
  let importCount = 0;
  const findings: string[] = [];
  for (const [path, text] of sources) {
    const code = withoutComments(text);
    const specifiers = specifiersIn(code);
    importCount += specifiers.length;
    for (const specifier of specifiers) findings.push(...judgeImport(path, specifier));
    for (const door of DOORS) {
      if (door.text?.test(code) === true && !isHeld(path, door.holders)) {
        findings.push(`${path} reaches for ${door.what}: ${door.why}`);
      }
    }
    findings.push(...unreadableImports(path, code));
  }
  return { importCount, findings };
}

function judgeImport(path: string, specifier: string): string[] {
  if (specifier.startsWith('.')) return judgeOwnImport(path, specifier);
  const module = isBuiltin(specifier) ? `node:${specifier.replace(/^node:/, '')}` : specifier;
  const findings = DOORS.filter(
    (door) => door.modules?.test(module) === true && !isHeld(path, door.holders),
  ).map((door) => `${path} imports ${specifier} (${door.what}): ${door.why}`);
  const allowedBuiltins = PURE[folderOf(path)];
  if (isBuiltin(module) && allowedBuiltins !== undefined && !allowedBuiltins.includes(module)) {
    findings.push(`${path} imports ${specifier}: ${folderOf(path)}/ is pure`);
  }
  return findings;
}

function judgeOwnImport(path: string, specifier: string): string[] {
  const target = posix.normalize(posix.join(posix.dirname(path), specifier));
  if (target.startsWith('..')) {
    // The version number is read from there.
    return target === '../package.json' ? [] : [`${path} imports ${specifier}: outside src`];
  }
  const from = folderOf(path);
  const to = folderOf(target);
  if (from === to && from !== '') return judgePart(path, target);
  const allowed = from === '' ? TOP_FILES[path] : LAYERS[from];
  if (allowed === undefined) return [`${path} lies in a place that the layer table does not know`];
  const wanted = to === '' ? target.replace(/\.[cm]?js$/, '.ts') : to;
  if (allowed.includes(wanted)) return [];
  return [`${path} imports ${target}: ${from === '' ? path : `${from}/`} may not import ${wanted}`];
}

/** Within a folder that has parts. */
function judgePart(path: string, target: string): string[] {
  const parts = PARTS[folderOf(path)];
  const from = partOf(path);
  const to = partOf(target);
  if (parts === undefined || from === to || from === '') return [];
  const order = Object.keys(parts);
  if (!order.includes(from))
    return [`${path} lies in a place that the table of parts does not know`];
  if (to !== '' && order.indexOf(to) < order.indexOf(from)) return [];
  return [`${path} imports ${target}: ${to === '' ? 'that' : `${to}/`} stands above ${from}/`];
}

/** Static imports, re-exports, dynamic imports, requires and worker entries. */
function specifiersIn(code: string): string[] {
  const forms = [
    /\bfrom\s*(['"])(.*?)\1/g,
    /\bimport\s*(['"])(.*?)\1/g,
    /\b(?:import|require|require\.resolve|import\.meta\.resolve|getBuiltinModule)\s*\(\s*(['"`])(.*?)\1/g,
    /\bnew\s+URL\s*\(\s*(['"`])(\.\.?\/.*?)\1/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[2] ?? ''));
}

/** An import whose target is computed cannot be judged: only literals are allowed (or a literal's beginning). */
function unreadableImports(path: string, code: string): string[] {
  const computed = [...code.matchAll(/\b(?:import|require|getBuiltinModule)\s*\(\s*([^'"`\s)])/g)];
  return computed.map(() => `${path} imports something computed`);
}

function withoutComments(text: string): string {
  return text.replace(/(^|\s)\/\*[\s\S]*?\*\//g, '$1').replace(/(^|\s)\/\/.*$/gm, '$1');
}

const isHeld = (path: string, holders: readonly string[]): boolean =>
  holders.some((holder) => path.startsWith(holder));

const folderOf = (path: string): string =>
  path.includes('/') ? path.slice(0, path.indexOf('/')) : '';

const partOf = (path: string): string => folderOf(path.slice(folderOf(path).length + 1));
