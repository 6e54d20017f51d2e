/**
 * The grammar of image references (github.com/distribution/reference, regexp.go), which kubelet and
 * container runtimes accept with some more rules, such as the length. kube-apiserver does not check
 * it.
 */

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const registry = `(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const repository = `${component}(?:/${component})*`;
const tag = '[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}';
const digest = '[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}';

export const imageReference = new RegExp(`^(?:${registry}/)?${repository}(?::${tag})?(?:@${digest})?$`);

export const imageMessage = 'must be an image reference: [REGISTRY/]REPOSITORY[:TAG][@DIGEST], with a lowercase repository';
