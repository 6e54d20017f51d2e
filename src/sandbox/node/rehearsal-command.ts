import type { ContainerStart } from '../shared/program.ts';

/** Paths of a certificate and its key. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** A command of this host that runs in place of a container. */
export interface RehearsalCommand {
  readonly command: readonly string[];
  /** Added to the environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The port where it listens; undefined when unknown. */
  readonly port: number | undefined;
}

/** The flags of k8s.io/apiserver (pkg/server/options/{coreapi,authentication,authorization}.go). */
const kubeconfigFlags = ['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'];

const placeholder = /\{(kubeconfig|tls-cert-file|tls-private-key-file|port)\}/g;

/**
 * The command to run for a container. A command with {kubeconfig}, {tls-cert-file},
 * {tls-private-key-file} or {port} gets these replaced and nothing else. Any other command gets the
 * arguments of the container with the local port, the kubeconfig flags, and --bind-address where
 * pods are on loopback. Flags of the command itself take precedence. Pure.
 * @param tls undefined when the container has no certificate
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
  // A server of pods on loopback must not be reachable from the network.
  if (start.podAddress.startsWith('127.')) flags.push(['bind-address', start.podAddress]);
  const added = flags.filter(([name]) => !given.has(name)).map(([name, value]) => `--${name}=${value}`);
  const all = [...command, ...withPort(args, start), ...added];
  return { command: all, env, port: portIn(all) ?? port };
}

/** `secure-port` of `--secure-port=443`, `--secure-port` and `-secure-port`. */
const nameOf = (word: string): string | undefined => /^--?([a-zA-Z][\w.-]*)(=|$)/.exec(word)?.[1];

/** The arguments without those flags and their values. */
const withoutFlags = (words: readonly string[], names: ReadonlySet<string>): string[] =>
  words.filter((word, index) => {
    const before = words[index - 1] ?? '';
    const name = nameOf(word) ?? (before.includes('=') ? undefined : nameOf(before));
    return name === undefined || !names.has(name);
  });

/** Replaces the port in `--secure-port=8443` and `--secure-port 8443`. */
const withPort = (words: readonly string[], { port, declaredPort }: ContainerStart): string[] =>
  words.map((word, index) => {
    if (port === undefined) return word;
    if (word === `--secure-port=${declaredPort}`) return `--secure-port=${port}`;
    return words[index - 1] === '--secure-port' && word === String(declaredPort) ? String(port) : word;
  });

/** The port of the last `--secure-port`. */
function portIn(words: readonly string[]): number | undefined {
  const at = words.findLastIndex((word) => nameOf(word) === 'secure-port');
  const value = words[at]?.split('=')[1] ?? words[at + 1];
  return at === -1 || !/^\d+$/.test(value ?? '') || value === '0' ? undefined : Number(value);
}
