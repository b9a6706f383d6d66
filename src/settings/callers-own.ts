/**
 * The environment as it was before npm, npx or pnpm started us. They put folders in front of the PATH, among them one
 * with the Node that we asked for; a product's command must get the Node that it has without us, and a service that
 * it writes keeps the PATH for years.
 */
export function callersOwn(
  variables: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (!MARKS.some((name) => variables[name] !== undefined)) return variables;
  const { PATH: path, NODE_OPTIONS: options, ...rest } = variables;
  const kept = Object.entries(rest).filter(([name]) => !/^npm_/i.test(name) && !SET.has(name));
  return {
    ...Object.fromEntries(kept),
    ...(path !== undefined && { PATH: withoutTheirs(path) }),
    // Its setting becomes this variable; anything else there is the caller's.
    ...(options !== undefined &&
      options !== variables['npm_config_node_options'] && { NODE_OPTIONS: options }),
  };
}

const MARKS = ['npm_execpath', 'npm_command', 'npm_lifecycle_event'];
const SET = new Set(['NODE', 'INIT_CWD', 'COLOR']);

/** Theirs end with a folder for node-gyp; what follows is the caller's, whatever it is called. */
function withoutTheirs(path: string): string {
  const folders = path.split(':');
  const end = folders.findLastIndex((folder) => folder.endsWith('/node-gyp-bin')) + 1;
  const theirs = /\/(node_modules\/\.bin|node-gyp-bin)$/;
  return [
    ...folders.slice(0, end).filter((folder) => !theirs.test(folder)),
    ...folders.slice(end),
  ].join(':');
}
