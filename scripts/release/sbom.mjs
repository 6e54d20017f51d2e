import { distribution } from './debian.mjs';

/**
 * The list of what an image contains (SPDX 2.3, spdx.dev), with the package URLs that scanners of
 * vulnerabilities search for.
 * @param {object} options
 * @param {string} options.version
 * @param {string} options.repository its URL
 * @param {string} options.created when, as an RFC 3339 time: that of the commit
 * @param {string} options.node the version of Node.js
 * @param {string} options.notices dist/THIRD-PARTY-NOTICES.txt
 * @param {readonly { name: string, version: string, architecture: string }[]} options.debian
 */
export function sbomOf({ version, repository, created, node, notices, debian }) {
  const { id, release } = distribution();
  const bundled = notices.split('\n\n----\n\n').map((notice) => {
    const [, name = '', its = '', licence = ''] = /^(\S+) (\S+) \((.+)\)/.exec(notice) ?? [];
    return { name: name.split('/node_modules/').at(-1) ?? name, version: its, licence };
  });
  const parts = [
    packageOf({ name: 'apisvc', version, licence: 'Apache-2.0', url: `pkg:npm/apisvc@${version}` }),
    packageOf({ name: 'node', version: node, licence: 'MIT', url: `pkg:generic/node@${node}` }),
    ...bundled.map((each) => packageOf({ ...each, url: `pkg:npm/${each.name.replace('@', '%40')}@${each.version}` })),
    ...debian.map(({ name, version: its, architecture }) => {
      const url = `pkg:deb/${id}/${name}@${encodeURIComponent(its)}?arch=${architecture}&distro=${id}-${release}`;
      return packageOf({ name, version: its, licence: 'NOASSERTION', url });
    }),
  ];
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: `apisvc-${version}`,
    documentNamespace: `${repository}/releases/v${version}/spdx`,
    creationInfo: { created, creators: ['Tool: apisvc-release'] },
    packages: parts,
    relationships: parts.map(({ SPDXID }, index) => ({
      spdxElementId: index === 0 ? 'SPDXRef-DOCUMENT' : parts[0].SPDXID,
      relationshipType: index === 0 ? 'DESCRIBES' : 'CONTAINS',
      relatedSpdxElement: SPDXID,
    })),
  };
}

/** @param {{ name: string, version: string, licence: string, url: string }} part */
const packageOf = ({ name, version, licence, url }) => ({
  name,
  SPDXID: `SPDXRef-${url.replace(/[^A-Za-z0-9.-]+/g, '-')}`,
  versionInfo: version,
  downloadLocation: 'NOASSERTION',
  licenseConcluded: 'NOASSERTION',
  licenseDeclared: licence,
  externalRefs: [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: url }],
});
