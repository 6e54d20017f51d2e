import { asideCommand, inDirectory, newKeysCommand, type ProjectCommands } from '../config/project-commands.ts';
import { responsibilities } from '../config/responsibilities.ts';
import { fill } from './catalog.ts';

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

/** What the commands of a fix work on. */
export interface FixTarget {
  /** The flags with which kubectl and apisvc reach the diagnosed cluster. */
  readonly clusterFlags?: readonly string[] | undefined;
  readonly project?: ProjectCommands | undefined;
}

/**
 * Fills in the placeholders of a fix. The values come from servers and files that are not trusted,
 * and users paste the commands into a shell: there every value is quoted as one word or a part of
 * it.
 * @throws Error for a placeholder without a value
 */
export const fillFix = (template: string, args: Readonly<Record<string, string>>, { clusterFlags = [], project }: FixTarget = {}): string =>
  forOthers(template, project)
    .split('`')
    .map((text, at) =>
      at % 2 === 1
        ? inProject(withFlags(fill(text, args, shellWord), clusterFlags), project)
        : fill(text, args, (value) => value.replaceAll('`', "'")),
    )
    .join('`');

/** Leaves out the commands that write what others write, or that the issuer refuses. */
function forOthers(template: string, project: ProjectCommands | undefined): string {
  if (!project || responsibilities[project.issuer].inProject) return template;
  const rotate = responsibilities[project.issuer].renewedInCluster ? 'rotate --ca' : 'rotate';
  const commands = new RegExp(
    `In an apisvc project, run: \`apisvc (?:${rotate}|init --force-keys|register --only secrets)[^\`]*\`\\. Otherwise, (.)`,
    'g',
  );
  return template.replace(commands, (_, first: string) => first.toUpperCase());
}

/** The start of a command that connects to a cluster. Flags can follow it. */
const clusterCommand = /(?<=^|\| |&& |\$\()(kubectl|apisvc (?:register|rotate|secure|status|unregister|verify))(?= |$)/g;
/** The same in a sentence, except in a line that has the flags. */
const clusterCommandInText =
  /(?<=^|[ (])(kubectl|apisvc (?:register|rotate|secure|status|unregister|verify))(?= [-a-z]|$)(?!.* '?--(?:kubeconfig|context)=)/gm;

/** The flags by which a command selects its cluster. */
export interface ClusterSelection {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}

/** The flags that select the cluster; the commands of fixes repeat them. */
export const clusterFlagsOf = ({ kubeconfig, context }: ClusterSelection): string[] => [
  ...(kubeconfig === undefined ? [] : [`--kubeconfig=${kubeconfig}`]),
  ...(context === undefined ? [] : [`--context=${context}`]),
];

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

/** Fixes are written for the project in the current directory. */
function inProject(command: string, project: ProjectCommands | undefined): string {
  if (!project) return command;
  return command.replace(/mv certs certs\.old|apisvc (?:init --force-keys|register|rotate)/g, (start) =>
    withoutBacktick(projectCommand(start, project)),
  );
}

function projectCommand(start: string, project: ProjectCommands): string {
  if (start.startsWith('mv')) return asideCommand(project.directory);
  return start === 'apisvc init --force-keys' ? newKeysCommand(project) : inDirectory(start, project.directory);
}

/**
 * A backtick would end the command for fixParts, so its code is used (POSIX.1-2024, Shell Command
 * Language 2.2.4). Quotes enclose the word that contains it.
 */
const withoutBacktick = (command: string): string => command.replaceAll('`', () => `'$'\\x60''`);

/** @param before the part of the command before the value */
function shellWord(value: string, before: string): string {
  const quoted = withoutBacktick(value.replaceAll("'", `'\\''`));
  if (before.split("'").length % 2 === 0) return quoted;
  return /^[\w.:/@,=+-]+$/.test(value) ? value : `'${quoted}'`;
}
