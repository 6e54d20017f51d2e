import { findComponents } from './components.mjs';
import { missingPackages } from './packages.mjs';

/**
 * Why a tier cannot run on a machine; undefined if it can.
 * @param {import('./tiers.d.mts').Tier} tier
 * @param {import('./obstacle.d.mts').Machine} machine
 * @returns {string | undefined}
 */
export function obstacle({ needs }, machine = process) {
  if (needs.length === 0) return undefined;
  if (machine.platform !== 'linux') return 'needs Linux';
  if (needs.includes('distribution') && machine.arch !== 'x64') return `needs Linux x64, and this machine is ${machine.arch}`;
  if (machine.getuid?.() !== 0) return 'needs root, for a network namespace';
  const { programs, packages } = missingPackages(needs);
  if (programs.length > 0) return `needs ${programs.join(', ')}: apt-get install ${packages.join(' ')}`;
  const { missing } = findComponents();
  if (missing.length === 0) return undefined;
  const names = missing.map(({ name, module }) => `${name} (${module})`).join(', ');
  return `${names} not built yet: npm run test:cluster builds them`;
}
