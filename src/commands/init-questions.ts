import { fieldFault } from '../config/field-fault.ts';
import { type OwnServer, ownServer, type PresetName, presetDescription, presetNames } from '../config/presets.ts';
import { RefusedError } from '../errors.ts';
import { printable } from '../pki/printable.ts';
import type { PlannedFile } from '../project/project.ts';
import { describePlan } from '../report/project.ts';
import { topicShort } from '../report/topics.ts';
import { wrap } from '../report/wrap.ts';
import { agrees } from './agrees.ts';
import { askAboutIssuer, type IssuerAnswers } from './issuer-questions.ts';
import { missingFlags } from './missing-flags.ts';
import { apiMessage, type CompleteFlags, type InitFlags, nameFrom } from './new-configuration.ts';
import type { RunningService } from './running-service.ts';
import type { Question, Terminal } from './terminal.ts';

/** The answers, as the flags that give the same answers. */
type Answers = Pick<InitFlags, 'preset' | 'api' | 'image' | 'name' | 'namespace' | 'service'> & IssuerAnswers;

const presetQuestion: Question = {
  message: 'Preset to start from',
  why: 'A preset fills in apisvc.yaml for a known server. You can change everything later.',
  flag: '--preset NAME',
  choices: presetNames.map((value) => ({ value, description: presetDescription(value) })),
};

const apiQuestion: Question = {
  message: 'API that the server serves (group/version)',
  why: 'Clients request /apis/GROUP/VERSION. Choose a group in a domain you own. Separate several APIs with commas.',
  flag: '--api GROUP/VERSION',
  fault: validateApis,
};

const imageQuestion: Question = {
  message: 'Container image of the server',
  why: 'The pods run this image. Pin a version, so that the API does not change unexpectedly.',
  flag: '--image IMAGE',
  fault: (answer) => fieldFault('image', answer),
};

const nameQuestion: Question = {
  message: 'Name of the server',
  why: 'The Deployment, ServiceAccount and RBAC objects get this name.',
  flag: '--name NAME',
  fault: (answer) => fieldFault('name', answer),
};

const namespaceQuestion: Question = {
  message: 'Namespace',
  why: 'The serving certificate contains the namespace. If you change the namespace later, you need a new certificate.',
  flag: '--namespace NAMESPACE',
  fault: (answer) => fieldFault('namespace', answer),
};

const serviceQuestion: Question = {
  message: 'Name of the Service',
  why: 'kube-apiserver connects to this Service. The serving certificate is valid for SERVICE.NAMESPACE.svc.',
  flag: '--service NAME',
  fault: (answer) => fieldFault('service', answer),
};

/**
 * Prompts for what the flags and the preset leave open. Pass all flags to skip the prompts.
 * Otherwise the user may also change the names that come from the directory.
 * @returns the flags with the answers, and whether there were prompts
 */
export async function askMissing(dir: string, flags: InitFlags, terminal: Terminal): Promise<{ flags: CompleteFlags; asked: boolean }> {
  const asksPreset = flags.preset === undefined && flags.api === undefined;
  const preset = asksPreset ? ((await terminal.ask(presetQuestion)) as PresetName) : (flags.preset ?? 'custom');
  const own = flags.api && flags.image ? undefined : ownServer(preset);
  const answers = own ? await askAboutServer(dir, own, flags, terminal) : {};
  return { flags: { ...flags, ...answers, preset }, asked: asksPreset || own !== undefined };
}

/**
 * Where prompts are not possible, flags must answer every question without a default.
 * @throws UsageError that names the missing flags
 */
export function refuseMissingFlags({ preset, api, image }: InitFlags, { interactive }: Pick<Terminal, 'interactive'>): void {
  const isOwn = preset === undefined ? api !== undefined : ownServer(preset) !== undefined;
  const missing = [
    ...(preset === undefined && api === undefined ? [presetQuestion] : []),
    ...(isOwn && api === undefined ? [apiQuestion] : []),
    ...(isOwn && image === undefined ? [imageQuestion] : []),
  ];
  if (!interactive && missing.length > 0) throw missingFlags(missing);
}

async function askAboutServer(dir: string, own: OwnServer, flags: InitFlags, terminal: Terminal): Promise<Answers> {
  const ask = (question: Question, proposal: string | undefined): Promise<string> => {
    // A proposal may come from a server, so it may be invalid or contain control characters.
    const valid = proposal !== undefined && question.fault?.(proposal) === undefined && printable(proposal) === proposal;
    return terminal.ask(valid ? { ...question, initial: proposal } : question);
  };
  const about = own.api === undefined ? { before: topicShort('crd-or-apiservice', terminal.columns) } : { why: own.api };
  const api = flags.api ?? splitList(await terminal.ask({ ...apiQuestion, ...about }));
  const running = await findProposals(flags.service ?? flags.name ?? nameFrom(dir), flags, terminal);
  const image = flags.image ?? (await ask(imageQuestion, running?.image));
  const name = flags.name ?? (await ask(nameQuestion, nameFrom(dir)));
  const namespace = flags.namespace ?? (await ask(namespaceQuestion, running?.namespace ?? own.namespace ?? name));
  const service = flags.service ?? (await ask(serviceQuestion, running?.name ?? name));
  return { api, image, name, namespace, service, ...(await askAboutIssuer(flags, terminal)) };
}

/** Proposes answers from a Service of that name in the current cluster, and tells the user. */
async function findProposals(name: string, flags: InitFlags, terminal: Terminal): Promise<RunningService | undefined> {
  if (!terminal.interactive) return undefined;
  // Imported only now: loading the cluster client takes time that most runs of init do not need.
  const { findRunning } = await import('./running-service.ts');
  const running = await findRunning(name, terminal);
  if (running === undefined || (flags.namespace !== undefined && flags.namespace !== running.namespace)) return undefined;
  const { context, namespace } = running;
  const message = `Service ${namespace}/${name} exists (context "${context}"). The prompts suggest its settings.`;
  terminal.progress(`\n${wrap(printable(message), terminal.columns)}\n`);
  return running;
}

/**
 * Shows the files to write and asks for confirmation.
 * @throws RefusedError if the user declines
 */
export async function confirmFiles(files: readonly PlannedFile[], command: string, terminal: Terminal): Promise<void> {
  const agreed = await agrees(terminal, {
    message: files.length === 1 ? 'Write this file?' : `Write these ${files.length} files?`,
    why: 'Answer yes or no. No file has been written yet.',
    flag: '--yes',
    before: describePlan({ files, command, colors: terminal.errorColors, columns: terminal.columns }),
    initial: 'yes',
  });
  if (!agreed) throw new RefusedError('Aborted; no files written.', { fix: `Change the flags and run: ${command}` });
}

const splitList = (answer: string): string[] =>
  answer
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Validates one or more GROUP/VERSION. */
function validateApis(answer: string): string | undefined {
  const parts = splitList(answer);
  const twice = parts.find((part, at) => parts.indexOf(part) !== at);
  if (twice !== undefined) return `${twice} is listed twice`;
  return parts.length === 0 ? apiMessage : parts.map(validateApi).find((fault) => fault !== undefined);
}

function validateApi(text: string): string | undefined {
  const [group = '', version, ...rest] = text.split('/');
  const fault = fieldFault('group', group);
  if (fault !== undefined) return `group: ${fault}`;
  if (!version || rest.length > 0) return apiMessage;
  const versionFault = fieldFault('version', version);
  return versionFault && `version: ${versionFault}`;
}
