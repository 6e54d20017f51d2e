import { missingPackages } from '../../../../scripts/packages.mjs';
import { UsageError } from '../../../../src/errors.ts';

/**
 * Checks that the programs of a node are installed.
 * @throws UsageError with the missing programs, and the packages to install
 */
export function requireNodePackages(): void {
  const { programs, packages } = missingPackages(['node']);
  if (programs.length === 0) return;
  throw new UsageError(`failed to start a node: ${programs.join(', ')} not found`, { fix: `apt-get install ${packages.join(' ')}` });
}
