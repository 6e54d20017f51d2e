// npm run quickstart: the whole story in a minute, with nothing but Node: a control plane inside apisvc, a project for the API server that is built in,
// register, verify, a request; then a broken registration, its diagnosis, and the repair. --no-build: what is there already is run.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, install } from './setup.mjs';
import { apisvc, ask, endAll, findings, say, startSandbox, until } from './story.mjs';

const apiService = 'v1alpha1.demo.apisvc.dev';
const hosts = '/apis/demo.apisvc.dev/v1alpha1/hosts';
const registration = `/apis/apiregistration.k8s.io/v1/apiservices/${apiService}`;

/** Puts the CA of another project into the registration, and waits until the control plane has noticed. @param {string} folder */
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
  if (!isNoticed) throw new Error('the control plane did not notice that the caBundle is wrong');
}

/** Shows what the server has logged of a request, which says as whom it was made. @param {() => string} said by the sandbox */
async function showLogOf(said) {
  const lines = () => said().match(/^.*\bGET .*\/hosts .*$/m);
  if (!(await until(() => lines() !== null))) throw new Error(`the server did not log the request:\n${said()}`);
  console.log(lines()?.[0]);
}

/** @param {string} folder */
async function tell(folder) {
  say(
    'A control plane of your own: a simulation inside apisvc, with nothing but Node. It ends with this script, and no cluster',
    'is touched. Where kubectl is shown, Node sends the request, with the client certificate in the kubeconfig.',
  );
  const sandbox = await startSandbox(folder);
  console.log(`$ kubectl get --raw /version\n${(await ask(folder, '/version')).trimEnd()}`);

  say('A project: a CA and a serving certificate for exactly one server, and a file that describes the registration.');
  await apisvc(folder, ['init', 'demo', '--preset', 'demo', '--yes']);
  say('The Kubernetes objects that it makes, in files; without --output-dir they are printed.');
  await apisvc(folder, ['render', '-C', 'demo', '--output-dir', 'demo/manifests']);
  say('Put them into the cluster in a safe order, wait for the server, register its API, and verify it.');
  await apisvc(folder, ['register', '-C', 'demo']);
  say('The same look at any time, at any APIService of any cluster.');
  await apisvc(folder, ['verify', apiService, '-o', 'wide']);
  say('A request through the whole path: control plane, aggregation proxy, verified TLS, server. The last line is the log of the server.');
  console.log(`$ kubectl get --raw ${hosts}\n${(await ask(folder, hosts)).trimEnd()}`);
  await showLogOf(sandbox.said);

  say('Now it breaks: the CA of another project gets into the caBundle.');
  await apisvc(folder, ['init', 'other', '--preset', 'demo', '--yes'], { hidden: true });
  await breakIt(folder);
  say('What is wrong, why, and how to repair it; exit code 1, for scripts.');
  await apisvc(folder, ['verify', apiService], { expected: 1 });
  const codes = await findings(folder, apiService);
  if (codes.join() !== 'cert/unknown-authority') throw new Error(`another diagnosis than expected: ${codes.join(', ')}`);
  say('The repair that it names.');
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
  await tell(folder);
  const seconds = Math.round((performance.now() - began) / 1000);
  say(
    `That was all, in ${seconds} s; the sandbox has ended. The project is still there, with its apisvc.yaml: ${join(folder, 'demo')}`,
    'Your own server: node bin/apisvc.js init --help. With what it will be deployed with: node bin/apisvc.js sandbox --help',
  );
} catch (error) {
  if (!interrupted) {
    console.log(`\nThat was not expected: ${/** @type {Error} */ (error).message}\nThe project is in ${folder}.`);
    await endAll('SIGTERM');
    process.exitCode = 1;
  }
}
