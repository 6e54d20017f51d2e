// Compares the executable of a release with the npm package on the same Node.js.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { buildExecutable } from '../scripts/release/executable.mjs';
import { nodeBinary } from '../scripts/release/node-binary.mjs';
import { targets } from '../scripts/release/targets.mjs';
import { measure, must, printRatio } from './measure.mjs';

/**
 * @param {string} cli path of bin/apisvc.js
 * @param {string} folder an empty folder
 */
export async function benchExecutable(cli, folder) {
  const executable = join(folder, 'apisvc');
  buildExecutable(targets[0], executable);
  const node = nodeBinary(targets[0]);
  const kubeconfig = join(folder, 'kubeconfig');
  const sandbox = spawn(executable, ['sandbox', '--engine', 'simulated', '--write-kubeconfig', kubeconfig], { stdio: 'ignore' });
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  try {
    while (!existsSync(kubeconfig)) await pause(50);
    must(executable, ['verify', 'v1alpha1.demo.apisvc.dev', '--wait', '--timeout', '60s'], { env });
    for (const args of [['--help'], ['verify', 'v1alpha1.demo.apisvc.dev']]) {
      const names = ['executable', 'npm package'].map((form) => `apisvc ${args[0]}, ${form}`);
      const medians = measure(
        [
          { name: names[0], run: () => must(executable, args, { env }) },
          { name: names[1], run: () => must(node, [cli, ...args], { env }) },
        ],
        21,
      );
      printRatio(medians, names[0], names[1], 'at most 1.1');
    }
  } finally {
    sandbox.kill('SIGTERM');
    await once(sandbox, 'exit');
  }
}
