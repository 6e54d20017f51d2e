import { once } from 'node:events';
import { ApisvcError, Exit, type ExitCode } from '../../../../src/errors.ts';
import { output } from '../../../../src/sandbox/shared/command.ts';
import { cellOf } from '../cells.ts';
import { program } from '../programs.ts';
import { startRun } from '../run.ts';
import { type Testbed, writeTestbed } from './testbeds.ts';

/** The message to the parent process: the cluster, or the error that prevented its start. */
export type Message = { readonly testbed: Testbed } | { readonly error: Failure };

/** An error that can be serialized. */
export interface Failure {
  readonly message: string;
  readonly fix?: string | undefined;
  readonly exitCode: ExitCode;
}

/** Starts a cluster and keeps it until SIGTERM. @returns the exit code */
export async function hold(cell: string): Promise<number> {
  const terminated = once(process, 'SIGTERM');
  try {
    const { cluster, stop } = await startRun({ ...cellOf(cell), node: true });
    const { kubeconfig, programs, stateDir } = cluster;
    const version = (await output(program(programs, 'kube-apiserver'), '--version')).trim();
    const testbed: Testbed = { kubeconfig, version, cell, pid: process.pid, started: Date.now(), kubectl: program(programs, 'kubectl') };
    await writeTestbed(stateDir, testbed);
    // If the parent is gone, no user knows about the cluster, so stop it.
    if (notifyParent({ testbed })) await terminated;
    await stop(false);
    return Exit.ok;
  } catch (error) {
    notifyParent({ error: failureOf(error) });
    return Exit.findings;
  }
}

const notifyParent = (message: Message): boolean => process.connected && process.send?.(message) === true;

function failureOf(error: unknown): Failure {
  if (error instanceof ApisvcError) return { message: error.message, fix: error.fix, exitCode: error.exitCode };
  return { message: error instanceof Error ? error.message : String(error), exitCode: Exit.findings };
}
