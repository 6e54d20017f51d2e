import type { ContainerStart } from '../shared/program.ts';

/** Paths of a certificate and its key. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** A command that can be run on this machine in the place of a container. */
export interface RehearsalCommand {
  readonly command: readonly string[];
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it will listen; undefined when nobody knows. */
  readonly port: number | undefined;
}

/** How a server built on k8s.io/apiserver learns of the cluster (its pkg/server/options: authentication.go, authorization.go, coreapi.go). */
const kubeconfigFlags = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'];

const placeholder = /\{(kubeconfig|tls-cert-file|tls-private-key-file|port)\}/g;

/**
 * What to run for a container. A command with any of {kubeconfig}, {tls-cert-file}, {tls-private-key-file} and {port} is run as it is, these filled in. Otherwise it gets
 * the arguments that the container has, with the port of this machine, the flags for a kubeconfig, and --bind-address where pods are on loopback; flags that the command names itself stay as they are. Pure.
 * @param tls where the container finds its certificate; undefined when it has none
 */
export function rehearsalCommand(command: readonly string[], start: ContainerStart, tls: TlsFiles | undefined): RehearsalCommand {
  const { kubeconfig, port } = start;
  const values = { kubeconfig, 'tls-cert-file': tls?.cert ?? '', 'tls-private-key-file': tls?.key ?? '', port: String(port ?? '') };
  const env = {
    ...start.env,
    KUBECONFIG: kubeconfig,
    ...(port === undefined ? {} : { APISVC_PORT: values.port }),
    ...(tls === undefined ? {} : { APISVC_TLS_CERT_FILE: tls.cert, APISVC_TLS_PRIVATE_KEY_FILE: tls.key }),
  };
  if (command.some((word) => word.search(placeholder) !== -1)) {
    const filled = command.map((word) => word.replace(placeholder, (_, name: keyof typeof values) => values[name]));
    return { command: filled, env, port };
  }
  const own = new Set(command.flatMap((word) => nameOf(word) ?? []));
  const args = withoutFlags([...start.command.slice(1), ...start.args], own);
  const given = new Set([...own, ...args.flatMap((word) => nameOf(word) ?? [])]);
  const flags = kubeconfigFlags.map((name): [string, string] => [name, kubeconfig]);
  // A pod has an address of its own; where that is loopback, nobody else is to reach the server either.
  if (start.podAddress.startsWith('127.')) flags.push(['bind-address', start.podAddress]);
  const added = flags.filter(([name]) => !given.has(name)).map(([name, value]) => `--${name}=${value}`);
  const all = [...command, ...withPort(args, start), ...added];
  return { command: all, env, port: portIn(all) ?? port };
}

/** `secure-port` of `--secure-port=443`, `--secure-port` and `-secure-port`. */
const nameOf = (word: string): string | undefined => /^--?([a-zA-Z][\w.-]*)(=|$)/.exec(word)?.[1];

/** The words without those flags, nor the values that stand in words after them. */
const withoutFlags = (words: readonly string[], names: ReadonlySet<string>): string[] =>
  words.filter((word, index) => {
    const before = words[index - 1] ?? '';
    const name = nameOf(word) ?? (before.includes('=') ? undefined : nameOf(before));
    return name === undefined || !names.has(name);
  });

/** The container's port where it says so, in one word or two. */
const withPort = (words: readonly string[], { port, declaredPort }: ContainerStart): string[] =>
  words.map((word, index) => {
    if (port === undefined) return word;
    if (word === `--secure-port=${declaredPort}`) return `--secure-port=${port}`;
    return words[index - 1] === '--secure-port' && word === String(declaredPort) ? String(port) : word;
  });

/** What the last `--secure-port` says. */
function portIn(words: readonly string[]): number | undefined {
  const at = words.findLastIndex((word) => nameOf(word) === 'secure-port');
  const value = words[at]?.split('=')[1] ?? words[at + 1];
  return at === -1 || !/^\d+$/.test(value ?? '') || value === '0' ? undefined : Number(value);
}
