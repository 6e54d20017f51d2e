import { expect, test } from 'vitest';
import { type Machine, obstacle } from '../../../scripts/obstacle.mjs';
import { tiers } from '../../../scripts/tiers.mjs';

const machine = { platform: 'linux', arch: 'x64', getuid: () => 0 };

test.each<[string, Partial<Machine>, string | undefined]>([
  ['unit', { platform: 'darwin', arch: 'arm64', getuid: () => 501 }, undefined],
  ['distribution', { platform: 'darwin' }, 'needs Linux'],
  ['distribution', { arch: 'arm64' }, 'needs Linux x64, and this machine is arm64'],
  ['cluster', { getuid: () => 1000 }, 'needs root, for a network namespace'],
])('tier %s on %j', (name, more, expected) => {
  const tier = tiers.find((each) => each.name === name);
  if (tier === undefined) throw new Error(`no tier ${name}`);
  expect(obstacle(tier, { ...machine, ...more })).toBe(expected);
});
