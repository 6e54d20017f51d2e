// npm run quickstart: from a fresh clone to a look at what apisvc does. Makes a project for the sample API server in a temporary folder, renders and
// lints it; where a cluster answers, registers and verifies it there, after asking when somebody is there to ask.
import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { build, install } from './setup.mjs';

const cli = join(import.meta.dirname, '..', 'bin', 'apisvc.js');
const folder = mkdtempSync(join(tmpdir(), 'apisvc-quickstart-'));
const project = join(folder, 'demo');

/** Runs apisvc with its output shown; ends the quickstart with its exit code unless that is one of `expected`. @param {string} cwd @param {string[]} args @param {number[]} expected */
function apisvc(cwd, args, expected = [0]) {
  console.log(`\n$ apisvc ${args.join(' ')}`);
  const { status } = spawnSync(process.execPath, [cli, ...args], { cwd, stdio: 'inherit' });
  if (!expected.includes(status ?? 1)) {
    console.log(`\nThat was not expected (exit code ${status}). The project is in ${project}.`);
    process.exit(status || 1);
  }
  return status;
}

/** Somebody's cluster is not ours to change without a word. */
async function mayRegister() {
  if (!process.stdin.isTTY) return true;
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await prompt.question('\nA cluster answers. Deploy the sample API server (namespace wardle) there? [y/N] ');
  prompt.close();
  return /^y(es)?$/i.test(answer.trim());
}

if (!install() || !build()) process.exit(1);
console.log(`\nWorking in ${folder}`);
apisvc(folder, ['init', 'demo', '--preset', 'sample-apiserver', '--yes']);
console.log('\n$ cd demo');
apisvc(project, ['render', '--output-dir', 'manifests']);
apisvc(project, ['lint', 'manifests']);

const rehearsal = apisvc(project, ['register', '--dry-run', 'server', '--timeout', '10s'], [0, 3, 124]);
if (rehearsal !== 0) console.log('\nNo cluster answers, so nothing was registered. With one: apisvc register');
else if (await mayRegister()) {
  apisvc(project, ['register', '--timeout', '5m']);
  apisvc(project, ['verify']);
}
console.log(`\nThe project is in ${project}. Look at apisvc.yaml there, or start your own: node bin/apisvc.js init --help`);
