import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where the programs of the cluster tests come from. Nothing here builds or downloads.
 *
 * @typedef {{ name: string, package: string, module: string, isFolder: boolean }} Component a program, the Go package that it is built from, and the folder of
 * the Go module that pins its version; or a folder of files of the Go module `package`
 * @typedef {{ programs: Record<string, Record<string, string>>, missing: Component[] }} Components `programs`: paths of those that exist, by module and name
 */

const modulesDir = join(import.meta.dirname, '..', 'test', 'cluster', 'components');

const kubernetesServers = ['kube-apiserver', 'kube-controller-manager', 'kube-proxy', 'kube-scheduler', 'kubelet'];

/** Packages by program, by module. The first module is the Kubernetes that the control plane tests run. */
const packages = {
  'kubernetes-1.37': {
    etcd: 'go.etcd.io/etcd/server/v3',
    ...kubernetesPackages('kubectl', ...kubernetesServers),
    'sample-apiserver': 'k8s.io/sample-apiserver',
    'apiextensions-apiserver': 'k8s.io/apiextensions-apiserver',
    'kube-aggregator': 'k8s.io/kube-aggregator',
  },
  'kubernetes-1.35': kubernetesPackages(...kubernetesServers),
  'metrics-server': { 'metrics-server': 'sigs.k8s.io/metrics-server/cmd/metrics-server' },
  'custom-metrics': { 'test-adapter': 'sigs.k8s.io/custom-metrics-apiserver/test-adapter' },
  'aggregator-front': { 'aggregator-front': '.' },
  'any-api': { 'any-api': '.' },
  pause: { pause: '.' },
  'kubectl-1.32': { 'kubectl-1.32': '.' },
  konnectivity: { 'proxy-server': 'sigs.k8s.io/apiserver-network-proxy/cmd/server' },
};

/** Folders by Go module, by module of ours: what upstream tells people to apply. */
const folders = { 'metrics-server': { manifests: 'sigs.k8s.io/metrics-server' } };

/** What the node tier runs on: each Kubernetes, reaching extension servers at the address of their Service, or (`routing`) at their endpoints. */
export const cells = ['1.37', '1.37-routing', '1.35', '1.35-routing'];

/** @param {string[]} names @returns {Record<string, string>} */
function kubernetesPackages(...names) {
  return Object.fromEntries(names.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`]));
}

/** @type {readonly Component[]} */
const components = [
  ...Object.entries(packages).flatMap(([module, programs]) => componentsOf(module, programs, false)),
  ...Object.entries(folders).flatMap(([module, ofModule]) => componentsOf(module, ofModule, true)),
];

/** @param {string} module @param {Record<string, string>} found packages by name @param {boolean} isFolder @returns {Component[]} */
function componentsOf(module, found, isFolder) {
  return Object.entries(found).map(([name, goPackage]) => ({ name, package: goPackage, module, isFolder }));
}

/** @param {string} module */
export const moduleDir = (module) => join(modulesDir, module);

/** Static, so that the programs also run in container images made from nothing. Without gitVersion kube-apiserver calls itself v0.0.0-master, which kubectl itself can't read. @param {string} module */
export function buildFlags(module) {
  const text = readFileSync(join(moduleDir(module), 'go.mod'), 'utf8');
  // A library v0.32.3 is of Kubernetes v1.32.3.
  const version =
    /^\t?(?:require )?k8s\.io\/kubernetes (v\S+)/m.exec(text)?.[1] ?? /^\tk8s\.io\/kubectl (v\S+)$/m.exec(text)?.[1]?.replace(/^v0/, 'v1');
  const [gitMajor, gitMinor] = version?.slice(1).split('.') ?? [];
  const stamp = version === undefined ? {} : { gitVersion: version, gitMajor, gitMinor };
  const variables = Object.entries(stamp).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-trimpath', '-ldflags', ['-s -w', ...variables].join(' ')];
}

/** The folder of everything that is kept for later runs: outside the checkout, so that the next checkout finds it. */
export const cacheRoot = () =>
  process.env.APISVC_COMPONENTS_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'apisvc', 'components');

/** The folder that built programs are kept in; another one for other versions. @param {string} module */
export function cacheDir(module) {
  const sources = readdirSync(moduleDir(module)).sort();
  const inputs = [
    sources.map((file) => readFileSync(join(moduleDir(module), file), 'utf8')),
    buildFlags(module),
    process.platform,
    process.arch,
  ];
  const key = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
  return join(cacheRoot(), `${module}-${key}`);
}

/**
 * Finds every program: in the cache, and those of the newest Kubernetes first in KUBEBUILDER_ASSETS (the convention of controller-runtime's envtest) when
 * that is set.
 * @returns {Components}
 */
export function findComponents() {
  /** @type {Components} */
  const found = { programs: {}, missing: [] };
  for (const component of components) {
    const { name, module } = component;
    const assets = module === components[0]?.module ? process.env.KUBEBUILDER_ASSETS : undefined;
    const places = [assets, cacheDir(module)].filter((folder) => folder !== undefined && folder !== '');
    const path = places.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
    if (path) found.programs[module] = { ...found.programs[module], [name]: path };
    else found.missing.push(component);
  }
  return found;
}
