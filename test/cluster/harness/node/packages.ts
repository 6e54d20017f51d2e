import { missingPackages } from '../../../../scripts/packages.mjs';
import { UsageError } from '../../../../src/errors.ts';

/** @throws UsageError that names what is not installed and the packages to install */
export function requireNodePackages(): void {
  const { programs, packages } = missingPackages(['node']);
  if (programs.length === 0) return;
  throw new UsageError(`a node can't run here: ${programs.join(', ')} not found`, { fix: `apt-get install ${packages.join(' ')}` });
}
