import { resolve } from 'node:path';
import { type ExitCode, UsageError } from '../errors.ts';
import { isProject } from '../project/project.ts';
import { nodeLine } from '../report/sandbox.ts';
import { startSandbox } from '../sandbox/sandbox.ts';
import type { KubernetesImitated } from '../sandbox/shared/engine.ts';
import { keepKubeconfig } from './kubeconfig-file.ts';
import { builtInGuest, type Guest, programOf, projectGuest, type RehearsalFlags, rehearse } from './rehearsal.ts';
import type { Terminal } from './terminal.ts';

export interface SandboxFlags extends RehearsalFlags {
  readonly directory: string;
  readonly engine?: 'real' | 'simulated';
  readonly assets?: string;
  readonly kubernetes?: KubernetesImitated;
  readonly empty?: boolean;
  readonly writeKubeconfig?: string;
}

/** `apisvc sandbox`: a control plane of one's own, with the given command, or the built-in server, behind its aggregation layer. */
export async function sandbox(flags: SandboxFlags, command: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const guest = await guestOf(flags, command, terminal);
  const kubeconfig = await keepKubeconfig(flags.writeKubeconfig);
  const box = await startSandbox({
    ...flags,
    env: terminal.env,
    programOf: programOf(guest),
    onEvent: (event) => terminal.progress(nodeLine(event)),
    signal: terminal.interrupt,
  });
  try {
    kubeconfig.write(box.kubeconfig);
    terminal.progress(`${box.engine.name} at ${box.engine.server}`);
    if (!flags.once)
      terminal.progress(`For other terminals:\n\n    export KUBECONFIG=${resolve(flags.writeKubeconfig ?? box.kubeconfig)}\n`);
    const died = box.died.then((error) => Promise.reject(error));
    const code = guest && (await Promise.race([rehearse(guest, box, flags, terminal), died]));
    if (flags.once && code !== undefined) return code;
    terminal.progress('The sandbox goes on until Ctrl-C.');
    return await Promise.race([untilInterrupted(terminal.interrupt), died]);
  } finally {
    await box.stop().finally(kubeconfig.remove);
  }
}

/** What is rehearsed; undefined for an empty sandbox. */
async function guestOf(
  { directory, empty = false, once = false }: SandboxFlags,
  command: readonly string[],
  terminal: Terminal,
): Promise<Guest | undefined> {
  if (command.length === 0 && directory !== '.') {
    throw new UsageError('-C names a project, and there is no program to run as its server', { fix: 'apisvc sandbox -C DIR -- PROGRAM' });
  }
  if (!empty && command.length > 0) return projectGuest(directory, command);
  if (!empty) {
    if (isProject(directory))
      terminal.progress('The project in this directory is left out: no program for its server is given (apisvc sandbox -- PROGRAM).');
    return builtInGuest();
  }
  if (command.length > 0) throw new UsageError('--empty registers nothing; leave the command out');
  if (once) throw new UsageError('--empty has nothing to verify; leave --once out');
  return undefined;
}

/** @throws the reason of the signal */
const untilInterrupted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
