/** The options that every verb takes, before it or after it. */
import { Option, type Command } from 'commander';

export type GlobalOptions = {
  readonly repository?: readonly string[];
  readonly endpoint?: string;
  readonly region?: string;
  readonly addressing?: string;
  readonly awsProfile?: string;
  readonly passphraseFile?: string;
  readonly passphraseCommand?: string;
  readonly recoveryFile?: string;
  readonly readerKey?: string;
  readonly home?: string;
  /** Of the verbs that read another machine's disk or archives. */
  readonly oldHome?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  readonly yes?: boolean;
  readonly color: boolean;
};

export function addGlobalOptions(program: Command): void {
  const collect = (value: string, before: readonly string[] | undefined): readonly string[] => [
    ...(before ?? []),
    value,
  ];
  program
    .option(
      '-r, --repository <location>',
      'a folder or s3://bucket/prefix (push: repeatable); also STATEFERRY_REPOSITORY; default: as set by init or join',
      collect,
    )
    .option('--endpoint <url>', "the S3 server's address, when it is not AWS")
    .option('--region <region>', "the bucket's region")
    .addOption(
      new Option('--addressing <how>', 'how the bucket is addressed').choices(['path', 'virtual']),
    )
    .option('--aws-profile <name>', 'the profile of the shared AWS config that has the credentials')
    .option(
      '--passphrase-file <file>',
      'a file with the passphrase; also STATEFERRY_PASSPHRASE_FILE, STATEFERRY_PASSPHRASE',
    )
    .option('--passphrase-command <cmd>', 'a command that prints the passphrase')
    .option(
      '--recovery-file <file>',
      'a file with the recovery code (the kit page will do); also STATEFERRY_RECOVERY_CODE',
    )
    .option('--reader-key <file>', 'a reader key file; also STATEFERRY_READER_KEY_FILE')
    .option('--home <dir>', 'the home that is meant (default: yours, under sudo too)')
    .option('--json', 'JSON Lines on stdout: events, then one summary or error')
    .option('-q, --quiet', 'no talk, only problems and errors')
    .option('-v, --verbose', 'more talk')
    .option('-y, --yes', 'answer yes to what would be asked')
    .option('--no-color', 'no colours; also NO_COLOR');
}
