/** The tree of commands. Parsing knows nothing of what the verbs do. */
import { Command, CommanderError, Help, type OutputConfiguration } from 'commander';
import { FerryError } from '../base/errors.ts';
import { addGlobalOptions, type GlobalOptions } from './global-options.ts';
import type { Call, Values, Verb } from './verb.ts';
import { VERB_GROUPS, VERBS } from './verbs.ts';
import { toolVersion } from './version.ts';

export type Parsed =
  | { readonly kind: 'verb'; readonly verb: Verb; readonly call: Call }
  /** Help or the version was printed. */
  | { readonly kind: 'printed' };

/** @throws usage */
export async function parseArguments(
  argv: readonly string[],
  print: (text: string) => void,
): Promise<Parsed> {
  let parsed: Parsed = { kind: 'printed' };
  const program = newProgram(print, (chosen) => {
    parsed = chosen;
  });
  if (argv.length === 0) {
    program.outputHelp();
    return parsed;
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'printed' };
    if (error.code === 'commander.help') throw noVerb(argv);
    throw usageError(error, program);
  }
  return parsed;
}

function newProgram(print: (text: string) => void, choose: (parsed: Parsed) => void): Command {
  // Errors are ours to word; help is an answer.
  const output: OutputConfiguration = { writeOut: print, writeErr: () => undefined };
  const program = new Command('stateferry')
    .description(
      'Move an AI gateway to a new machine through any S3 bucket or folder: sealed, verified, with a way back.',
    )
    .usage('[global options] <verb> [arguments] [options]')
    .version(toolVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [verb]', 'show how a verb is used')
    .configureOutput(output)
    .configureHelp({ formatHelp: verbsFirst, subcommandTerm: nameOf })
    .exitOverride()
    .showSuggestionAfterError(true)
    .addHelpText('after', EXAMPLES);
  addGlobalOptions(program);
  for (const { title, verbs } of VERB_GROUPS) {
    program.commandsGroup(title);
    for (const verb of verbs) addVerb(program, verb, choose);
  }
  return program;
}

/** What it is called with stands in the help of the verb. */
const nameOf = (command: Command): string => [command.name(), ...command.aliases()].join(', ');

/** What can be done stands before how it is tuned. What no group has is `help`, which the last line tells. */
function verbsFirst(command: Command, helper: Help): string {
  const all = Help.prototype.formatHelp.call(helper, command, helper).trimEnd().split('\n\n');
  const sections = all.filter((section) => !section.startsWith('Commands:'));
  const isOptions = (section: string): boolean => section.startsWith('Options:');
  return [...sections.filter((one) => !isOptions(one)), ...sections.filter(isOptions)]
    .join('\n\n')
    .concat('\n');
}

const EXAMPLES = `
Examples:
  stateferry init /mnt/usb/ferry      a repository on a disk
  stateferry push                     every gateway of this machine into it
  stateferry snapshots                what is there

stateferry VERB --help shows how a verb is used, with examples.`;

function addVerb(program: Command, verb: Verb, choose: (parsed: Parsed) => void): void {
  const command = program
    .command(verb.usage)
    .description(verb.about)
    .aliases([...(verb.aliases ?? [])])
    .helpOption('-h, --help', 'show help')
    .addHelpText('after', helpAfter(verb, program));
  for (const argument of command.registeredArguments) {
    argument.description = verb.arguments?.[argument.name()] ?? argument.description;
  }
  for (const { flags, about, repeatable } of verb.options ?? []) {
    if (repeatable === true) command.option(flags, `${about} (repeatable)`, collect);
    else command.option(flags, about);
  }
  command.action(() => {
    const options: Values & GlobalOptions = command.optsWithGlobals();
    refuseEmpty(command, options, program);
    choose({ kind: 'verb', verb, call: { args: command.processedArgs as Call['args'], options } });
  });
}

/** A variable of the shell that is not set: as a folder it would be this one, as a snapshot any. */
function refuseEmpty(command: Command, values: Values, program: Command): void {
  const isEmpty = (value: unknown): boolean => [value].flat().includes('');
  const at = command.processedArgs.findIndex(isEmpty);
  const option = [...command.options, ...program.options].find((one) =>
    isEmpty(values[one.attributeName()]),
  );
  const name =
    option?.long ?? (at < 0 ? undefined : `<${command.registeredArguments[at]?.name()}>`);
  if (name === undefined) return;
  throw new FerryError('usage', `${name} is empty`, {
    hint: 'Was a variable of the shell not set? Leave it out where nothing is meant.',
  });
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

function helpAfter({ examples, notes }: Verb, program: Command): string {
  const block = (title: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `\n${title}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
  return (
    block('Global options (stateferry --help explains them)', globalLines(program)) +
    block('Notes', notes ?? []) +
    block('Examples', examples)
  );
}

const GLOBAL_COLUMNS_MAX = 78;

/** Only what they are called: the examples below them shall stay in sight. */
function globalLines({ options }: Command): string[] {
  const lines: string[] = [];
  for (const { flags } of options.filter(({ long }) => long !== '--version')) {
    const before = lines.at(-1);
    const longer = `${before}   ${flags}`;
    if (before === undefined || longer.length > GLOBAL_COLUMNS_MAX) lines.push(flags);
    else lines.splice(-1, 1, longer);
  }
  return lines;
}

/** Also what `help nosuch` comes to. */
function noVerb(argv: readonly string[]): FerryError {
  const named = argv[0] === 'help' ? argv[1] : undefined;
  return named === undefined
    ? new FerryError('usage', 'no verb is given')
    : new FerryError('usage', `there is no verb "${named}"`);
}

function usageError(error: CommanderError, program: Command): FerryError {
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  const verb = program.args[0];
  const known = VERBS.some(({ usage, aliases }) =>
    [usage.split(' ')[0], ...(aliases ?? [])].includes(verb),
  );
  return new FerryError('usage', message, {
    hint: known ? `stateferry ${verb} --help` : 'stateferry --help lists the verbs.',
  });
}
