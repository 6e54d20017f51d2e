import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/**
 * @typedef {{ name: string, run: () => void }} Subject a function to time
 */

/**
 * Times subjects against each other. Each of them runs once in every round, so other load on the
 * machine affects all of them equally.
 * @param {Subject[]} subjects
 * @param {number} rounds
 * @returns {Map<string, number>} median milliseconds by name
 */
export function measure(subjects, rounds) {
  const times = new Map(subjects.map(({ name }) => [name, /** @type {number[]} */ ([])]));
  for (let round = -1; round < rounds; round++) {
    for (const { name, run } of subjects) {
      const start = performance.now();
      run();
      // The first round only warms the disk cache.
      if (round >= 0) times.get(name)?.push(performance.now() - start);
    }
  }
  return new Map([...times].map(([name, all]) => [name, all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN]));
}

/**
 * Runs a command and waits until it ends.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnSyncOptions} [options]
 * @returns {string} its standard output
 * @throws {Error} if it fails, because the time of a failed command means nothing
 */
export function must(command, args, options = {}) {
  const { status, stderr, stdout } = spawnSync(command, args, { encoding: 'utf8', ...options });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: exit code ${status}\n${stderr}`);
  return String(stdout);
}

/**
 * @param {Map<string, number>} medians
 * @param {string} name @param {string} base
 * @param {string} aim
 */
export function printRatio(medians, name, base, aim) {
  const [own = Number.NaN, other = Number.NaN] = [medians.get(name), medians.get(base)];
  console.log(`${name}: ${(own / other).toFixed(2)} times ${base} (${own.toFixed(0)} ms, ${other.toFixed(0)} ms; aim: ${aim})`);
}
