/** The tree of commands. Parsing knows nothing of what the verbs do. */
import { Command, CommanderError, Help, type OutputConfiguration } from 'commander';
import { FerryError } from '../base/errors.ts';
import { addGlobalOptions, type GlobalOptions } from './global-options.ts';
import type { Call, Values, Verb } from './verb.ts';
import { VERBS } from './verbs.ts';
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
    if (error.code === 'commander.help') throw noVerb();
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
    .configureHelp({ formatHelp: verbsFirst })
    .exitOverride()
    .showSuggestionAfterError(true)
    .addHelpText('after', EXAMPLES);
  addGlobalOptions(program);
  for (const verb of VERBS) addVerb(program, verb, choose);
  return program;
}

/** What can be done stands before how it is tuned. */
function verbsFirst(command: Command, helper: Help): string {
  const sections = Help.prototype.formatHelp.call(helper, command, helper).trimEnd().split('\n\n');
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
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', helpAfter(verb));
  for (const argument of command.registeredArguments) {
    argument.description = verb.arguments?.[argument.name()] ?? argument.description;
  }
  for (const { flags, about, repeatable } of verb.options ?? []) {
    if (repeatable === true) command.option(flags, `${about} (repeatable)`, collect);
    else command.option(flags, about);
  }
  command.action(() => {
    const options: Values & GlobalOptions = command.optsWithGlobals();
    choose({ kind: 'verb', verb, call: { args: command.processedArgs as Call['args'], options } });
  });
}

const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

function helpAfter({ examples, notes }: Verb): string {
  const block = (title: string, lines: readonly string[]): string =>
    lines.length === 0 ? '' : `\n${title}:\n${lines.map((line) => `  ${line}`).join('\n')}\n`;
  return block('Notes', notes ?? []) + block('Examples', examples);
}

function noVerb(): FerryError {
  return new FerryError('usage', 'no verb is given', {
    hint: 'stateferry --help lists the verbs.',
  });
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
