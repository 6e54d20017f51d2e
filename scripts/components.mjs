import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';

/**
 * Where the Kubernetes programs of the cluster tests come from. Nothing here builds or downloads.
 *
 * @typedef {{ name: string, package: string }} Component a program, and the Go package that it is built from
 * @typedef {{ programs: Record<string, string>, missing: Component[] }} Components paths of the programs that exist, by name, and those that don't
 */

/** The Go module that pins the versions. */
export const moduleDir = join(import.meta.dirname, '..', 'test', 'cluster', 'components', 'kubernetes-1.37');

/** @type {readonly Component[]} */
const components = [
  { name: 'etcd', package: 'go.etcd.io/etcd/server/v3' },
  { name: 'kube-apiserver', package: 'k8s.io/kubernetes/cmd/kube-apiserver' },
  { name: 'kube-controller-manager', package: 'k8s.io/kubernetes/cmd/kube-controller-manager' },
  { name: 'kubectl', package: 'k8s.io/kubernetes/cmd/kubectl' },
  { name: 'sample-apiserver', package: 'k8s.io/sample-apiserver' },
];

/** @param {string} file */
const readModuleFile = (file) => readFileSync(join(moduleDir, file), 'utf8');

/** Version of Kubernetes, e.g. `v1.37.2`, as go.mod has it. */
export const kubernetesVersion = /^\tk8s\.io\/kubernetes (v\S+)/m.exec(readModuleFile('go.mod'))?.[1] ?? 'unknown';

/** Static, so that the programs also run in container images made from nothing. Without gitVersion kube-apiserver calls itself v0.0.0-master. */
export const buildFlags = (() => {
  const [major, minor] = kubernetesVersion.slice(1).split('.');
  const stamp = { gitVersion: kubernetesVersion, gitMajor: major, gitMinor: minor };
  const variables = Object.entries(stamp).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-trimpath', '-ldflags', ['-s -w', ...variables].join(' ')];
})();

/** The folder that built programs are kept in: outside the checkout, so that the next checkout finds them; another one for other versions. */
export function cacheDir() {
  const caches = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const root = process.env.APISVC_COMPONENTS_CACHE || join(caches, 'apisvc', 'components');
  const inputs = [readModuleFile('go.mod'), readModuleFile('go.sum'), buildFlags, process.platform, process.arch];
  const key = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
  return join(root, `${basename(moduleDir)}-${key}`);
}

/**
 * Finds every program: in KUBEBUILDER_ASSETS (the convention of controller-runtime's envtest) when that is set, else in the cache.
 * @returns {Components}
 */
export function findComponents() {
  const folders = [process.env.KUBEBUILDER_ASSETS, cacheDir()].filter((folder) => folder !== undefined && folder !== '');
  /** @type {Components} */
  const found = { programs: {}, missing: [] };
  for (const component of components) {
    const path = folders.map((folder) => join(folder, component.name)).find((candidate) => existsSync(candidate));
    if (path) found.programs[component.name] = path;
    else found.missing.push(component);
  }
  return found;
}
