import { loadTypescript } from '../scripts/load-typescript.mjs';
import { measure } from './measure.mjs';

/**
 * Measures work on large inputs at two sizes. A server, an endpoint or a caBundle decides how large
 * these inputs are, so the time has to grow with the size and no faster.
 */
export async function benchLargeInputs() {
  const [{ readRecording }, { largeInputs }] = await Promise.all([
    loadTypescript('test/cluster/laboratory/recording.ts'),
    loadTypescript('bench/large-inputs.ts'),
  ]);
  const { snapshot } = readRecording('1.37', 'other-ca');
  for (const { name, prepare } of await largeInputs(snapshot)) {
    const medians = measure(
      [
        { name: 'half', run: prepare(1) },
        { name: 'whole', run: prepare(2) },
      ],
      5,
    );
    const [half = Number.NaN, whole = Number.NaN] = [medians.get('half'), medians.get('whole')];
    console.log(`${name}: ${whole.toFixed(1)} ms, ${(whole / half).toFixed(1)} times half of the input (aim: at most 3, or below 10 ms)`);
  }
}
