import { resolve } from 'node:path';
import { type ExitCode, UsageError } from '../errors.ts';
import { isProject } from '../project/project.ts';
import { nodeLine } from '../report/sandbox.ts';
import { type Engine, type KubernetesImitated, loadSandbox } from '../sandbox/index.ts';
import { keepKubeconfig } from './kubeconfig-file.ts';
import { demoGuest, type Guest, programOf, projectGuest, type RehearsalFlags, rehearse } from './rehearsal.ts';
import type { Terminal } from './terminal.ts';

export interface SandboxFlags extends RehearsalFlags {
  readonly directory: string;
  readonly engine?: Engine['kind'];
  readonly assets?: string;
  readonly kubernetes?: KubernetesImitated;
  readonly empty?: boolean;
  readonly writeKubeconfig?: string;
}

/**
 * `apisvc sandbox`: starts a local control plane, with the given command or the demo server behind
 * its aggregation layer.
 */
export async function sandbox(flags: SandboxFlags, command: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const guest = await guestOf(flags, command, terminal);
  const kubeconfig = await keepKubeconfig(flags.writeKubeconfig);
  const { startSandbox, ...programs } = await loadSandbox();
  const box = await startSandbox({
    ...flags,
    env: terminal.env,
    programOf: programOf(guest, programs),
    onEvent: (event) => terminal.progress(nodeLine(event)),
    signal: terminal.interrupt,
  });
  try {
    kubeconfig.write(box.kubeconfig);
    terminal.progress(`${box.engine.name} at ${box.engine.server}`);
    if (!flags.once)
      terminal.progress(
        `To use the sandbox in another terminal, run:\n\n    export KUBECONFIG=${resolve(flags.writeKubeconfig ?? box.kubeconfig)}\n`,
      );
    const dead = new AbortController();
    box.died.then((error) => dead.abort(error));
    const interrupt = AbortSignal.any([terminal.interrupt, dead.signal]);
    const code = guest && (await rehearse(guest, box, flags, { ...terminal, interrupt }));
    if (flags.once && code !== undefined) return code;
    terminal.progress('The sandbox runs until you press Ctrl-C.');
    return await untilInterrupted(interrupt);
  } finally {
    await box.stop().finally(kubeconfig.remove);
  }
}

/** What to rehearse; undefined for an empty sandbox. */
async function guestOf(
  { directory, empty = false, once = false }: SandboxFlags,
  command: readonly string[],
  terminal: Terminal,
): Promise<Guest | undefined> {
  if (command.length === 0 && directory !== '.') {
    throw new UsageError('-C requires a program after "--"', { fix: 'Pass a program: apisvc sandbox -C DIR -- PROGRAM' });
  }
  if (!empty && command.length > 0) return projectGuest(directory, command);
  if (!empty) {
    if (isProject(directory))
      terminal.progress('note: The project in this directory is ignored. To run the project, pass a program: apisvc sandbox -- PROGRAM');
    return demoGuest();
  }
  if (command.length > 0) throw new UsageError('--empty cannot be used with a program', { fix: 'Remove --empty, or remove the program.' });
  if (once) throw new UsageError('--empty cannot be used with --once', { fix: 'Remove one of the two flags.' });
  return undefined;
}

/** @throws the reason of the signal */
const untilInterrupted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
