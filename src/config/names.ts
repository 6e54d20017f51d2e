/**
 * The name rules of Kubernetes with its own messages, so that apisvc refuses a name with the words
 * of kube-apiserver. Source: k8s.io/apimachinery/pkg/util/validation/validation.go.
 */

export interface NameRule {
  readonly pattern: RegExp;
  readonly maxLength: number;
  readonly message: string;
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';

export const dns1123Label: NameRule = {
  pattern: new RegExp(`^${label}$`),
  maxLength: 63,
  message:
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
};

export const dns1123Subdomain: NameRule = {
  pattern: new RegExp(`^${label}(\\.${label})*$`),
  maxLength: 253,
  message:
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
};

export const dns1035Label: NameRule = {
  pattern: /^[a-z]([-a-z0-9]*[a-z0-9])?$/,
  maxLength: 63,
  message:
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
};

const subdomain = `${label}(\\.${label})*`;
const domain = `${label}(\\.${label})+`;

/** Source of the next two rules: k8s.io/kubernetes/pkg/apis/core/validation/names.go. */
export const signerName: NameRule = {
  pattern: new RegExp(`^${domain}/${subdomain}$`),
  maxLength: 571,
  message: 'must be DOMAIN/NAME, for example example.com/serving',
};

/** A ClusterTrustBundle that belongs to a signer has the name of the signer as a prefix. */
export const clusterTrustBundleName: NameRule = {
  pattern: new RegExp(`^(${domain}:${subdomain}:)?${subdomain}$`),
  maxLength: 571 + 1 + 253,
  message: 'must be NAME, or DOMAIN:SIGNER:NAME, for example example.com:serving:ca',
};

/** Why a name is invalid, in the words of Kubernetes; undefined when it is valid. */
export function nameFault(value: string, rule: NameRule): string | undefined {
  if (value === '') return 'must not be empty';
  if (value.length > rule.maxLength) return `must be no more than ${rule.maxLength} characters`;
  return rule.pattern.test(value) ? undefined : rule.message;
}

const qualified = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const characters =
  "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, at most 63 characters";

/**
 * Why a label is invalid (IsQualifiedName and IsValidLabelValue of the same source); undefined when
 * it is valid.
 */
export function labelFault(key: string, value: string): string | undefined {
  const [name = '', prefix, ...more] = key.split('/').reverse();
  if (more.length > 0 || !qualified.test(name) || name.length > 63)
    return `a label key must ${characters}, after an optional DNS prefix and '/'`;
  const prefixFault = prefix === undefined ? undefined : nameFault(prefix, dns1123Subdomain);
  if (prefixFault !== undefined) return `prefix of a label key: ${prefixFault}`;
  return value === '' || (qualified.test(value) && value.length <= 63) ? undefined : `a label value must be empty or ${characters}`;
}
