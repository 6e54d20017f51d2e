import { authEntries } from './catalog/auth.ts';
import { bundleEntries } from './catalog/bundle.ts';
import { certEntries } from './catalog/cert.ts';
import { certManagerEntries } from './catalog/cert-manager.ts';
import { controlPlaneEntries } from './catalog/control-plane.ts';
import { discoveryEntries } from './catalog/discovery.ts';
import { endpointsEntries } from './catalog/endpoints.ts';
import type { CatalogEntry } from './catalog/entry.ts';
import { manifestEntries } from './catalog/manifest.ts';
import { networkEntries } from './catalog/network.ts';
import { registrationEntries } from './catalog/registration.ts';
import { securityEntries } from './catalog/security.ts';
import { serviceEntries } from './catalog/service.ts';

/**
 * The codes of all findings, and their texts. Placeholders in braces are filled in from the args of
 * the observation. Every entry may use {name} (of the APIService), {group}, {version}, {service},
 * {namespace}, {port} and {host} (`<service>.<namespace>.svc`).
 * Entries that only files can have may use {file} and {line} too.
 */
export const catalog = {
  ...manifestEntries,
  ...registrationEntries,
  ...serviceEntries,
  ...endpointsEntries,
  ...networkEntries,
  ...bundleEntries,
  ...certManagerEntries,
  ...certEntries,
  ...securityEntries,
  ...authEntries,
  ...discoveryEntries,
  ...controlPlaneEntries,
};

export type Code = keyof typeof catalog;

/** The catalog entry of a code, without literal types. */
export const entryOf = (code: Code): CatalogEntry => catalog[code];

/**
 * The entry of a code without a concrete case: placeholders become `<name>`, as in the usage of
 * kubectl.
 */
export function generalEntry(code: Code): CatalogEntry {
  const { cause, causes = cause, fix, fixes = fix, ...entry } = entryOf(code);
  const general = (text: string): string => text.replace(/\{([a-zA-Z]+)\}/g, '<$1>');
  return { ...entry, title: general(entry.title), cause: general(causes), fix: general(fixes) };
}

/** The documentation of a code. */
export const linkOf = (code: Code): string => `docs/findings.md#${code.replace('/', '')}`;

/** Whether `code` is one of `patterns`: a code, or a family written `cert/*`. */
export const matchesCode = (code: Code, patterns: readonly string[]): boolean =>
  patterns.some((pattern) => pattern === code || (pattern.endsWith('/*') && code.startsWith(pattern.slice(0, -1))));

/**
 * Fills in the placeholders of a template.
 * @param quoteValue quotes a value for its place: `before` is the part of the template before it.
 * By default, values are not quoted.
 * @throws Error for a placeholder without a value: a bug of the check
 */
export function fill(
  template: string,
  args: Readonly<Record<string, string>>,
  quoteValue: (value: string, before: string) => string = (value) => value,
): string {
  return template.replace(/\{([a-zA-Z]+)\}/g, (_, key: string, offset: number) => {
    const value = args[key];
    if (value === undefined) throw new Error(`no value for {${key}} in "${template}"`);
    return quoteValue(value, template.slice(0, offset));
  });
}
