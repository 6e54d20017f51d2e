import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * The programs of the cluster tests and their sources. This module neither builds nor downloads
 * them.
 *
 * @typedef {{ name: string, package: string, module: string, isFolder: boolean }} Component a
 * program, the Go package that it is built from, and the folder of the Go module that pins its
 * version; or a folder of files of the Go module `package`
 * @typedef {{ programs: Record<string, Record<string, string>>, missing: Component[] }} Components
 * `programs`: the paths of existing programs, by module and name
 */

const modulesDir = join(import.meta.dirname, '..', 'test', 'cluster', 'components');

const kubernetesServers = ['kube-apiserver', 'kube-controller-manager', 'kube-proxy', 'kube-scheduler', 'kubelet'];

/** Go packages by module and program. The cluster tier runs the Kubernetes of the first module. */
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
  'cert-manager': { 'cert-manager': '.' },
  'cert-manager-1.11': Object.fromEntries(
    ['cainjector', 'controller', 'webhook'].map((name) => [`${name}-1.11`, `github.com/cert-manager/cert-manager/cmd/${name}`]),
  ),
  'dns-webhook': { 'dns-webhook': '.' },
  'argocd-engine': { 'argocd-engine': '.' },
  'flux-apply': { 'flux-apply': '.' },
  load: { load: '.' },
  pause: { pause: '.' },
  'kubectl-1.32': { 'kubectl-1.32': '.' },
  'helm-3': { 'helm-3': 'helm.sh/helm/v3/cmd/helm' },
  'helm-4': { 'helm-4': 'helm.sh/helm/v4/cmd/helm' },
  krew: { krew: 'sigs.k8s.io/krew/cmd/krew', 'validate-krew-manifest': 'sigs.k8s.io/krew/cmd/validate-krew-manifest' },
  prometheus: {
    promtool: 'github.com/prometheus/prometheus/cmd/promtool',
    // Its build takes more than a minute.
    ...(process.env.APISVC_THOROUGH === undefined ? {} : { prometheus: 'github.com/prometheus/prometheus/cmd/prometheus' }),
  },
  'grafana-schema': { 'grafana-schema': '.' },
  konnectivity: { 'proxy-server': 'sigs.k8s.io/apiserver-network-proxy/cmd/server' },
};

/** Folders with the manifests of upstream: Go modules by module and folder name. */
const folders = {
  'metrics-server': { manifests: 'sigs.k8s.io/metrics-server' },
  'cert-manager': { 'deploy/crds': 'github.com/cert-manager/cert-manager' },
  'cert-manager-1.11': { deploy: 'github.com/cert-manager/cert-manager' },
  'prometheus-operator': { 'example/prometheus-operator-crd': 'github.com/prometheus-operator/prometheus-operator' },
};

/**
 * The kinds of cluster that the node tier runs on: each Kubernetes version, without and with
 * aggregator routing. Without it, kube-apiserver connects to the cluster IP of a Service; with it,
 * to the endpoints.
 */
export const cells = ['1.37', '1.37-routing', '1.35', '1.35-routing'];

/** @param {string[]} names @returns {Record<string, string>} */
function kubernetesPackages(...names) {
  return Object.fromEntries(names.map((name) => [name, `k8s.io/kubernetes/cmd/${name}`]));
}

/** @type {readonly Component[]} */
const components = [
  ...Object.entries(packages).flatMap(([module, programs]) => componentsOf(module, programs, false)),
  ...Object.entries(folders).flatMap(([module, names]) => componentsOf(module, names, true)),
];

/**
 * @param {string} module
 * @param {Record<string, string>} found packages by name
 * @param {boolean} isFolder
 * @returns {Component[]}
 */
function componentsOf(module, found, isFolder) {
  return Object.entries(found).map(([name, goPackage]) => ({ name, package: goPackage, module, isFolder }));
}

/** @param {string} module */
export const moduleDir = (module) => join(modulesDir, module);

/**
 * The flags of go build. They set the version, because without it kube-apiserver reports
 * v0.0.0-master, which kubectl can't parse.
 * @param {string} module
 */
export function buildFlags(module) {
  const text = readFileSync(join(moduleDir(module), 'go.mod'), 'utf8');
  // Version v0.32.3 of a library belongs to Kubernetes v1.32.3.
  const version =
    /^\t?(?:require )?k8s\.io\/kubernetes (v\S+)/m.exec(text)?.[1] ?? /^\tk8s\.io\/kubectl (v\S+)$/m.exec(text)?.[1]?.replace(/^v0/, 'v1');
  const [gitMajor, gitMinor] = version?.slice(1).split('.') ?? [];
  const stamp = version === undefined ? {} : { gitVersion: version, gitMajor, gitMinor };
  const variables = Object.entries(stamp).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  // Without service discovery, whose SDKs take most of the time.
  const tags = module === 'prometheus' ? ['-tags', 'remove_all_sd'] : [];
  return [...tags, '-trimpath', '-ldflags', ['-s -w', ...variables].join(' ')];
}

/** The cache folder. It is outside the checkout, so that all checkouts share it. */
export const cacheRoot = () =>
  process.env.APISVC_COMPONENTS_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'apisvc', 'components');

/**
 * The folder with the built programs of a module. Its name depends on the sources and versions.
 * @param {string} module
 */
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
 * Finds the programs in the cache. If KUBEBUILDER_ASSETS is set (the convention of envtest in
 * controller-runtime), its programs are used for the newest Kubernetes.
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
