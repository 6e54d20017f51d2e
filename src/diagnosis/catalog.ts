import { authEntries } from './catalog/auth.ts';
import { bundleEntries } from './catalog/bundle.ts';
import { certEntries } from './catalog/cert.ts';
import { controlPlaneEntries } from './catalog/control-plane.ts';
import { discoveryEntries } from './catalog/discovery.ts';
import { endpointsEntries } from './catalog/endpoints.ts';
import type { CatalogEntry } from './catalog/entry.ts';
import { networkEntries } from './catalog/network.ts';
import { registrationEntries } from './catalog/registration.ts';
import { securityEntries } from './catalog/security.ts';
import { serviceEntries } from './catalog/service.ts';

/**
 * Every finding that apisvc can make, with its words: the one place where a fault is put into English. Words in braces are filled in from the
 * observation's args; every finding may use {name} (of the APIService), {group}, {version}, {service}, {namespace}, {port} and {host} (`<service>.<namespace>.svc`).
 */
export const catalog = {
  ...registrationEntries,
  ...serviceEntries,
  ...endpointsEntries,
  ...networkEntries,
  ...bundleEntries,
  ...certEntries,
  ...securityEntries,
  ...authEntries,
  ...discoveryEntries,
  ...controlPlaneEntries,
};

export type Code = keyof typeof catalog;

/** The entry of a code, without the literal types of the table. */
export const entryOf = (code: Code): CatalogEntry => catalog[code];

/** What there is to say of a code without a case at hand: names of the cluster are `<name>`, as in kubectl's usage texts. */
export function generalWords(code: Code): CatalogEntry {
  const { cause, causes = cause, ...entry } = entryOf(code);
  const general = (text: string): string => text.replace(/\{([a-zA-Z]+)\}/g, '<$1>');
  return { ...entry, title: general(entry.title), cause: general(causes), fix: general(entry.fix) };
}

/** Where a code is described for people. */
export const linkOf = (code: Code): string => `docs/findings.md#${code.replace('/', '')}`;

/** Whether `code` is one of `patterns`: a code, or a family written `cert/*`. */
export const matchesCode = (code: Code, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => pattern === code || (pattern.endsWith('/*') && code.startsWith(pattern.slice(0, -1))));

/**
 * Fills the words in braces.
 * @param written how a value is written where it stands, after all that is `before` it in the template; as it is without
 * @throws Error for a word without a value: a defect of the check that made the observation
 */
export function fill(
  template: string,
  args: Readonly<Record<string, string>>,
  written: (value: string, before: string) => string = (value) => value,
): string {
  return template.replace(/\{([a-zA-Z]+)\}/g, (_, key: string, offset: number) => {
    const value = args[key];
    if (value === undefined) throw new Error(`no value for {${key}} in "${template}"`);
    return written(value, template.slice(0, offset));
  });
}
