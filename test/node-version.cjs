/* Plain old syntax: it must run on a Node that cannot run the tests, to say so. */
'use strict';
var wanted = [24, 16];
var found = process.versions.node.split('.').map(Number);
if (found[0] < wanted[0] || (found[0] === wanted[0] && found[1] < wanted[1])) {
  console.error(
    'error: the tests need Node ' +
      wanted.join('.') +
      ' or newer; this is ' +
      process.version +
      '\n' +
      'hint: `npm ci` without --ignore-scripts brings one (the dev dependency "node", whose install script ' +
      'fetches the binary), or put a newer node on PATH',
  );
  process.exit(2);
}
