// npm run quickstart: a tour in a minute, with only Node. It starts a sandbox and registers the
// demo server. Then it breaks the registration, diagnoses it and repairs it. --no-build skips the
// build.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install } from './setup.mjs';
import { apisvc, ask, endAll, findings, say, startSandbox, until } from './story.mjs';

const apiService = 'v1alpha1.demo.apisvc.dev';
const hosts = '/apis/demo.apisvc.dev/v1alpha1/hosts';
const registration = `/apis/apiregistration.k8s.io/v1/apiservices/${apiService}`;

/**
 * Writes the CA of another project into the caBundle and waits until the condition changes.
 * @param {string} folder
 */
async function breakIt(folder) {
  const caBundle = readFileSync(join(folder, 'other', 'certs', 'ca.crt')).toString('base64');
  console.log(`$ kubectl patch apiservice ${apiService} --type=merge -p '{"spec":{"caBundle":"${caBundle.slice(0, 24)}..."}}'`);
  await ask(folder, `${registration}?fieldManager=kubectl-patch`, { spec: { caBundle } });
  console.log(`apiservice.apiregistration.k8s.io/${apiService} patched`);
  const isNoticed = await until(async () => {
    /** @type {{ status: { conditions: { type: string, status: string }[] } }} */
    const { status } = JSON.parse(await ask(folder, registration));
    return status.conditions.some((each) => each.type === 'Available' && each.status === 'False');
  });
  if (!isNoticed) throw new Error('the APIService stayed Available with a wrong caBundle');
}

/**
 * Prints the server's log line of the request, which names the user.
 * @param {() => string} said the output of the sandbox
 */
async function showLogOf(said) {
  const lines = () => said().match(/^.*\bGET .*\/hosts .*$/m);
  if (!(await until(() => lines() !== null))) throw new Error(`the server did not log the request:\n${said()}`);
  console.log(lines()?.[0]);
}

/** @param {string} folder */
async function tour(folder) {
  say(
    'Start a sandbox: a simulated control plane that needs only Node.js. It uses no cluster.',
    'For each kubectl command, this script sends the same request with the kubeconfig.',
  );
  const sandbox = await startSandbox(folder);
  console.log(`$ kubectl get --raw /version\n${(await ask(folder, '/version')).trimEnd()}`);

  say('Create a project: apisvc.yaml, a CA and a serving certificate for this server only.');
  await apisvc(folder, ['init', 'demo', '--preset', 'demo', '--yes']);
  say('Write the Kubernetes manifests to files. Without --output-dir, render prints them.');
  await apisvc(folder, ['render', '-C', 'demo', '--output-dir', 'demo/manifests']);
  say('Apply the manifests in a safe order, wait for the server, register the API, and verify the API.');
  await apisvc(folder, ['register', '-C', 'demo']);
  say('Verify again at any time. The command works for any APIService in any cluster.');
  await apisvc(folder, ['verify', apiService, '-o', 'wide']);
  say('Send a request through the aggregation layer. The last line is the log of the server.');
  console.log(`$ kubectl get --raw ${hosts}\n${(await ask(folder, hosts)).trimEnd()}`);
  await showLogOf(sandbox.said);

  say('Break the registration: replace the caBundle with the CA of another project.');
  await apisvc(folder, ['init', 'other', '--preset', 'demo', '--yes'], { hidden: true });
  await breakIt(folder);
  say('Find out what is wrong, why, and how to fix it. The exit code is 1.');
  await apisvc(folder, ['verify', apiService], { expected: 1 });
  const codes = await findings(folder, apiService);
  if (codes.join() !== 'cert/unknown-authority') throw new Error(`unexpected diagnosis: ${codes.join(', ')}`);
  say('Run the fix.');
  await apisvc(folder, ['register', '-C', 'demo']);
  await apisvc(folder, ['verify', apiService, '-o', 'short']);
  await sandbox.stop();
}

if (!process.argv.includes('--no-build') && (!install() || !build())) process.exit(1);
const began = performance.now();
const folder = mkdtempSync(join(tmpdir(), 'apisvc-quickstart-'));
let interrupted = false;
for (const [signal, code] of /** @type {const} */ ([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])) {
  process.once(signal, async () => {
    interrupted = true;
    await endAll(signal);
    process.exit(code);
  });
}
try {
  await tour(folder);
  const seconds = Math.round((performance.now() - began) / 1000);
  say(
    `Done in ${seconds} s. The sandbox has stopped. The project is in ${join(folder, 'demo')}.`,
    'Next, your own server: node bin/apisvc.js init --help, node bin/apisvc.js sandbox --help',
  );
} catch (error) {
  if (!interrupted) {
    console.log(`\nerror: ${/** @type {Error} */ (error).message}\nThe project is in ${folder}.`);
    await endAll('SIGTERM');
    process.exitCode = 1;
  }
}
