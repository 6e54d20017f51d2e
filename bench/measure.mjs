import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';

/**
 * @typedef {{ name: string, run: () => void }} Subject something to time
 */

/**
 * Times subjects against each other: in every round each runs once, so that what else the machine does hits all alike.
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
      // The first round only warms the caches of the disk.
      if (round >= 0) times.get(name)?.push(performance.now() - start);
    }
  }
  return new Map([...times].map(([name, all]) => [name, all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN]));
}

/**
 * Runs a command to its end.
 * @param {string} command @param {string[]} args @param {import('node:child_process').SpawnSyncOptions} [options]
 * @throws {Error} when it fails: a time for something that did not work means nothing
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
