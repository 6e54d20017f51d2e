import { missingPackages, uses } from './packages.mjs';

// The Debian packages of all tests that are not installed here, for `apt-get install`.
console.log(missingPackages(uses).packages.join(' '));
