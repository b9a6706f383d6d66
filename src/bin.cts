#!/usr/bin/env node
/* Old syntax on purpose: an old Node must get as far as saying what is missing. */
'use strict';
var parts = process.versions.node.split('.');
var major = Number(parts[0]);
var minor = Number(parts[1]);
var isNew = major > 24 || (major === 24 && minor >= 7);

if (process.platform === 'win32') {
  console.error('error: stateferry does not run on Windows itself');
  console.error('hint: run it in WSL2, where it finds the files of Windows below /mnt/c.');
  process.exitCode = 2;
} else if (!isNew) {
  console.error('error: stateferry needs Node 24.7 or newer, and this is ' + process.version);
  console.error(
    'hint: install Node 24 (https://nodejs.org), or leave yours as it is: npx -p node@24 -p stateferry stateferry ...',
  );
  process.exitCode = 2;
} else {
  import('./settings/compiled-code.js')
    .then(function (compiled) {
      compiled.keepCompiledCode();
      return import('./main.js');
    })
    .catch(function (error) {
      // Not even the code that says so could be read.
      if (/EMFILE|ENFILE|open-files-limit|too many open files/i.test(error.code + error.message)) {
        console.error('error: the limit on open files is reached');
        console.error(
          'hint: Allow more where it is started (in a shell: ulimit -n 1024), then run the same again.',
        );
        process.exitCode = 2;
        return;
      }
      console.error(error);
      process.exitCode = 70;
    });
}
