import { fill } from './catalog.ts';
import type { Diagnosis, Finding } from './types.ts';

/** A part of a fix. In a fix, backticks enclose the commands to copy, and nothing else. */
export interface FixPart {
  readonly kind: 'command' | 'text';
  readonly text: string;
}

/** The parts of a fix, without the punctuation that joins text and commands. */
export const fixParts = (fix: string): readonly FixPart[] =>
  fix.split(/`([^`]+)`/).flatMap((text, at): FixPart[] => {
    if (at % 2 === 1) return [{ kind: 'command', text }];
    const plain = text.replace(/^[;,.]\s+|[;,]?\s+$/g, '').trim();
    return plain === '' ? [] : [{ kind: 'text', text: plain }];
  });

/**
 * Fills in the placeholders of a fix. The values come from servers and files that are not trusted,
 * and users paste the commands into a shell: there every value is quoted as one word or a part of
 * it.
 * @param clusterFlags the flags with which kubectl and apisvc reach the diagnosed cluster
 * @throws Error for a placeholder without a value
 */
export const fillFix = (template: string, args: Readonly<Record<string, string>>, clusterFlags: readonly string[] = []): string =>
  template
    .split('`')
    .map((text, at) =>
      at % 2 === 1 ? withFlags(fill(text, args, shellWord), clusterFlags) : fill(text, args, (value) => value.replaceAll('`', "'")),
    )
    .join('`');

/** The start of a command that connects to a cluster. Flags can follow it. */
const clusterCommand = /(?<=^|\| |&& |\$\()(kubectl|apisvc (?:register|verify))(?= |$)/g;
/** The same in a sentence. */
const clusterCommandInText = /(?<=^|[ (])(kubectl|apisvc (?:register|verify))(?= [-a-z])/g;

/** Without the flags, a command could change another cluster than the diagnosed one. */
const withFlags = (command: string, flags: readonly string[]): string => insertFlags(command, clusterCommand, flags);

/**
 * Adds flags to the commands in a sentence, so that they reach the same cluster.
 * @param clusterFlags the flags that select the cluster, as for `fillFix`
 */
export const withClusterFlags = (text: string, clusterFlags: readonly string[]): string =>
  insertFlags(text, clusterCommandInText, clusterFlags);

const insertFlags = (text: string, command: RegExp, flags: readonly string[]): string =>
  flags.length === 0 ? text : text.replace(command, (start) => [start, ...flags.map((flag) => shellWord(flag, ''))].join(' '));

/** The project that the commands of a fix work on. */
export interface FixProject {
  readonly directory: string;
  /** Whether its certificates come from a CA of the user, which `init` then needs again. */
  readonly ownCa: boolean;
}

/** Adds the project to the commands in the fixes of a diagnosis. */
export const withProject = (diagnosis: Diagnosis, project: FixProject): Diagnosis => ({
  ...diagnosis,
  apis: diagnosis.apis.map((api) => ({ ...api, findings: api.findings.map((finding) => findingIn(finding, project)) })),
});

const findingIn = (finding: Finding, project: FixProject): Finding => ({
  ...finding,
  fix: finding.fix
    .split('`')
    .map((text, at) => (at % 2 === 1 ? commandIn(text, project) : text))
    .join('`'),
  explains: finding.explains.map((each) => findingIn(each, project)),
});

function commandIn(command: string, { directory, ownCa }: FixProject): string {
  const word = shellWord(directory, '');
  const [dir, flag] = directory === '.' ? ['', ''] : [` ${word}`, ` -C ${word}`];
  return command
    .replace(/apisvc init(?= --force-keys)/g, `apisvc init${dir}`)
    .replace(/ --force-keys/g, ` --force-keys${ownCa ? ' --ca-cert FILE --ca-key FILE' : ''}`)
    .replace(/apisvc register/g, `apisvc register${flag}`);
}

/** @param before the part of the command before the value */
function shellWord(value: string, before: string): string {
  // A backtick would end the command for fixParts, so its code is used (POSIX.1-2024, Shell Command
  // Language 2.2.4).
  const quoted = value.replace(/['`]/g, (quote) => (quote === '`' ? `'$'\\x60''` : `'\\''`));
  if (before.split("'").length % 2 === 0) return quoted;
  return /^[\w.:/@,=+-]+$/.test(value) ? value : `'${quoted}'`;
}
