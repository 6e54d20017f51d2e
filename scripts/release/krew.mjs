import { stringify } from 'yaml';

const description = `Finds out why an API of the Kubernetes aggregation layer does not work: it compares the
APIService, the Service, the pods and the certificates that they serve, and names the cause and
the fix. It also registers extension API servers with verified TLS, and rotates their
certificates.
`;

/** krew links only the plugin itself. */
const caveats = `For completion of "kubectl apisvc" on Linux and macOS, also run:
  ln -s kubectl-apisvc "\${KREW_ROOT:-$HOME/.krew}/bin/kubectl_complete-apisvc"
On Linux, apisvc needs glibc 2.28 or newer, libatomic and libstdc++ (Debian: libatomic1, libstdc++6).
On Macs with an Intel processor, the Node.js project does not test such programs.
`;

/**
 * The manifest with which krew installs apisvc (krew.sigs.k8s.io, plugin manifest).
 * @typedef {{ target: import('./targets.mjs').Target, file: string, sha256: string }} Archive
 * @param {{ version: string, repository: string }} release the URL of the repository
 * @param {readonly Archive[]} archives
 * @returns {string} YAML
 */
export function krewManifest({ version, repository }, archives) {
  return stringify(
    {
      apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
      kind: 'Plugin',
      metadata: { name: 'apisvc' },
      spec: {
        version: `v${version}`,
        homepage: repository,
        shortDescription: 'Diagnose and register aggregated APIs',
        description,
        caveats,
        platforms: archives.map(({ target, file, sha256 }) => ({
          selector: { matchLabels: { os: target.os, arch: target.arch } },
          uri: `${repository}/releases/download/v${version}/${file}`,
          sha256,
          bin: target.os === 'windows' ? 'apisvc.exe' : 'apisvc',
        })),
      },
    },
    // Without folded lines.
    { lineWidth: 0 },
  );
}
