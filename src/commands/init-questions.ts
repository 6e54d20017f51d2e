import { fieldFault } from '../config/field-fault.ts';
import { type PresetName, presetNames } from '../config/preset-names.ts';
import { RefusedError } from '../errors.ts';
import type { PlannedFile } from '../project/project.ts';
import { printable } from '../report/printable.ts';
import { describePlan } from '../report/project.ts';
import { topicShort } from '../report/topics.ts';
import { wrapped } from '../report/wrapped.ts';
import { apiWords, type CompleteFlags, type InitFlags, nameFrom } from './new-configuration.ts';
import type { RunningService } from './running-service.ts';
import type { Question, Terminal } from './terminal.ts';

/** What a person has said: the flags that would have said the same. */
type Answers = Pick<InitFlags, 'preset' | 'api' | 'image' | 'name' | 'namespace' | 'service'>;

const presetPurposes: Readonly<Record<PresetName, string>> = {
  custom: 'a server of your own',
  'sample-apiserver': 'the sample API server of Kubernetes, with an etcd beside it',
  'metrics-server': 'metrics-server in kube-system, deployed anew, with verified TLS',
  'metrics-server-existing': 'a metrics-server that runs already: it keeps its Deployment and gets verified TLS',
  'prometheus-adapter': 'prometheus-adapter in monitoring, with verified TLS',
  keda: "the metrics adapter of KEDA, beside KEDA's operator",
  demo: 'a server that apisvc brings along, to try everything out in apisvc sandbox',
};

const presetQuestion: Question = {
  message: 'Preset to start from',
  why: 'It fills in all that is known of a server; everything can be changed in apisvc.yaml.',
  flag: `--preset ${presetNames.join('|')}`,
  choices: presetNames.map((value) => ({ value, description: presetPurposes[value] })),
};

const apiQuestion: Question = {
  message: 'API that the server serves (group/version)',
  why: 'Clients ask for /apis/GROUP/VERSION; a group under a domain of yours meets no other. Several: with commas.',
  flag: '--api GROUP/VERSION',
  fault: apisFault,
};

const imageQuestion: Question = {
  message: 'Container image of the server',
  why: 'Its pods run this; a pinned version keeps the API from changing under its users.',
  flag: '--image IMAGE',
  fault: (answer) => fieldFault('image', answer),
};

const nameQuestion: Question = {
  message: 'Name of the server',
  why: 'Its Deployment, ServiceAccount and RBAC objects are called so.',
  flag: '--name NAME',
  fault: (answer) => fieldFault('name', answer),
};

const namespaceQuestion: Question = {
  message: 'Namespace',
  why: 'It is a part of the name in the certificate; another one later means new certificates.',
  flag: '--namespace NAMESPACE',
  fault: (answer) => fieldFault('namespace', answer),
};

const serviceQuestion: Question = {
  message: 'Name of the Service',
  why: 'kube-apiserver reaches the server through it; the certificate is for SERVICE.NAMESPACE.svc.',
  flag: '--service NAME',
  fault: (answer) => fieldFault('service', answer),
};

/**
 * Asks for what the flags and the preset leave open. Who has said all that is needed is asked nothing; who has to be asked may also change what would otherwise be
 * taken from the name of the directory.
 * @returns the flags with the answers, and whether anything was asked
 * @throws UsageError that names the flag when something is missing and nobody can be asked
 */
export async function askMissing(dir: string, flags: InitFlags, terminal: Terminal): Promise<{ flags: CompleteFlags; asked: boolean }> {
  const asksPreset = flags.preset === undefined && flags.api === undefined;
  const preset = asksPreset ? ((await terminal.ask(presetQuestion)) as PresetName) : (flags.preset ?? 'custom');
  const asksServer = preset === 'custom' && !(flags.api && flags.image);
  const answers = asksServer ? await askAboutServer(dir, flags, terminal) : {};
  return { flags: { ...flags, ...answers, preset }, asked: asksPreset || asksServer };
}

async function askAboutServer(dir: string, flags: InitFlags, terminal: Terminal): Promise<Answers> {
  const ask = (question: Question, proposal: string | undefined): Promise<string> => {
    // What is no valid answer is not to be proposed; nor what a terminal would act on, for it may come from a server.
    const good = proposal !== undefined && question.fault?.(proposal) === undefined && printable(proposal) === proposal;
    return terminal.ask(good ? { ...question, initial: proposal } : question);
  };
  const before = topicShort('crd-or-apiservice', terminal.columns);
  const api = flags.api ?? partsOf(await terminal.ask({ ...apiQuestion, before }));
  const running = await proposals(flags.service ?? flags.name ?? nameFrom(dir), flags, terminal);
  const image = flags.image ?? (await ask(imageQuestion, running?.image));
  const name = flags.name ?? (await ask(nameQuestion, nameFrom(dir)));
  const namespace = flags.namespace ?? (await ask(namespaceQuestion, running?.namespace ?? name));
  const service = flags.service ?? (await ask(serviceQuestion, running?.name ?? name));
  return { api, image, name, namespace, service };
}

/** What a Service of that name in the current cluster proposes, and says so; nobody's answers are looked for where nobody answers. */
async function proposals(name: string, flags: InitFlags, terminal: Terminal): Promise<RunningService | undefined> {
  if (!terminal.interactive) return undefined;
  // Most who run init reach no cluster, and need not wait for what would talk to it.
  const { findRunning } = await import('./running-service.ts');
  const running = await findRunning(name, terminal);
  if (running === undefined || (flags.namespace !== undefined && flags.namespace !== running.namespace)) return undefined;
  const { context, namespace } = running;
  const words = `Service ${namespace}/${name} is there already (context ${context}); what it tells of the server is proposed.`;
  terminal.progress(`\n${wrapped(printable(words), terminal.columns)}\n`);
  return running;
}

/**
 * Shows what is about to be written and asks whether it may be.
 * @throws RefusedError when it may not
 */
export async function confirmFiles(files: readonly PlannedFile[], command: string, terminal: Terminal): Promise<void> {
  const answer = await terminal.ask({
    message: files.length === 1 ? 'Write this file?' : `Write these ${files.length} files?`,
    why: 'yes or no; nothing has been written so far',
    flag: '--yes',
    before: describePlan({ files, command, colors: terminal.errorColors, columns: terminal.columns }),
    initial: 'yes',
    fault: (text) => (/^(y|yes|n|no)$/i.test(text) ? undefined : 'must be yes or no'),
  });
  if (/^n/i.test(answer))
    throw new RefusedError('nothing was written, as you said', { fix: `Change what is not as it should be: ${command}` });
}

const partsOf = (answer: string): string[] =>
  answer
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** What is wrong with GROUP/VERSION, or several of them. */
function apisFault(answer: string): string | undefined {
  const parts = partsOf(answer);
  const twice = parts.find((part, at) => parts.indexOf(part) !== at);
  if (twice !== undefined) return `${twice} is listed twice`;
  return parts.length === 0 ? apiWords : parts.map(apiFault).find((fault) => fault !== undefined);
}

function apiFault(text: string): string | undefined {
  const [group = '', version, ...rest] = text.split('/');
  const fault = fieldFault('group', group);
  if (fault !== undefined) return `group: ${fault}`;
  if (!version || rest.length > 0) return apiWords;
  const versionFault = fieldFault('version', version);
  return versionFault && `version: ${versionFault}`;
}
