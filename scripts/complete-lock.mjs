// Adds missing optional platform packages to package-lock.json. npm leaves out packages that its
// registry does not have, for example a partial mirror, and `npm ci` then rejects the lock file.
// Run it after changing dependencies. It does nothing if no package is missing.
import { readFileSync, writeFileSync } from 'node:fs';

const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { packages } = lock;
const platform = /(android|darwin|freebsd|linux|openharmony|win32)-([a-z0-9]+)-?(\w+)?$/;

for (const [where, parent] of Object.entries(packages)) {
  for (const [name, version] of Object.entries(parent.optionalDependencies ?? {})) {
    if (packages[`node_modules/${name}`] || packages[`${where}/node_modules/${name}`]) continue;
    const [, os, cpu, abi = ''] = platform.exec(name) ?? [];
    if (!os) throw new Error(`${name} is not a platform package`);
    const libc = os === 'linux' ? { libc: [abi.includes('musl') ? 'musl' : 'glibc'] } : {};
    packages[`node_modules/${name}`] = {
      version,
      cpu: [cpu],
      dev: true,
      ...libc,
      license: parent.license,
      optional: true,
      os: [os],
      engines: parent.engines,
    };
  }
}
lock.packages = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
writeFileSync('package-lock.json', `${JSON.stringify(lock, undefined, 2)}\n`);
