import { missingPackages, uses } from './packages.mjs';

// Prints the Debian packages that the tests need and that are not installed, for `apt-get install`.
console.log(missingPackages(uses).packages.join(' '));
