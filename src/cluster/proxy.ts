import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';

/**
 * The proxy for requests to a server, by the rules of kubectl for HTTPS_PROXY, HTTP_PROXY and
 * NO_PROXY. Lower-case names win (golang.org/x/net/http/httpproxy). localhost and loopback
 * addresses never use a proxy.
 * @param server the URL of kube-apiserver
 * @returns the URL of the proxy, with a scheme; undefined for a direct connection, and when
 * `server` is not a URL
 */
export function proxyFor(server: string, env: NodeJS.ProcessEnv): string | undefined {
  if (!URL.canParse(server)) return undefined;
  const { protocol, hostname, port } = new URL(server);
  const variable = ({ 'https:': 'https_proxy', 'http:': 'http_proxy' } as Record<string, string>)[protocol];
  const proxy = variable && withScheme(either(variable, env));
  const target = { host: hostname.replace(/^\[(.+)\]$/, '$1'), port: port || (protocol === 'http:' ? '80' : '443') };
  if (!proxy || isLocal(target.host)) return undefined;
  const exceptions = either('no_proxy', env).split(',');
  return exceptions.some((entry) => excludes(entry.trim().toLowerCase(), target)) ? undefined : proxy;
}

const either = (name: string, env: NodeJS.ProcessEnv): string => env[name] || env[name.toUpperCase()] || '';

/** The scheme is optional, as in `proxy:3128`. @returns undefined for anything but a URL */
function withScheme(proxy: string): string | undefined {
  if (proxy === '') return undefined;
  return [proxy, `http://${proxy}`].find((text) => URL.canParse(text) && new URL(text).host !== '');
}

interface Target {
  /** In lower case, an IPv6 address without brackets. */
  readonly host: string;
  readonly port: string;
}

const isLocal = (host: string): boolean => host === 'localhost' || isWithin(host, '127.0.0.0', 8) || isWithin(host, '::1', 128);

/**
 * Whether an entry of NO_PROXY matches: `*`, a CIDR, or an address or domain with an optional port.
 */
function excludes(entry: string, { host, port }: Target): boolean {
  if (entry === '*') return true;
  const [, base, length] = /^(.+)\/(\d+)$/.exec(entry) ?? [];
  if (base !== undefined && isIP(base)) return isWithin(host, base, Number(length));
  const [, bracketed, plain, entryPort = ''] = /^(?:\[(.+)\]|([^:]+)):([^:]*)$/.exec(entry) ?? [];
  if (entryPort !== '' && entryPort !== port) return false;
  const name = bracketed ?? plain ?? entry;
  return isIP(name) ? isWithin(host, name, isIP(name) === 4 ? 32 : 128) : isBelow(host, name);
}

/** Whether a host is an address in a network. An IPv4-mapped IPv6 address counts as IPv4. */
function isWithin(host: string, base: string, length: number): boolean {
  const [family, baseFamily] = [isIP(host), isIP(base)];
  if (family === 0 || length > (baseFamily === 4 ? 32 : 128)) return false;
  const network = new BlockList();
  network.addSubnet(base, length, baseFamily === 4 ? 'ipv4' : 'ipv6');
  return network.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/**
 * `example.com` matches itself and its subdomains; `.example.com` and `*.example.com` match
 * subdomains only.
 */
function isBelow(host: string, entry: string): boolean {
  const [, wildcard, name = ''] = /^(\*?\.)?(.*)$/.exec(entry) ?? [];
  const domain = domainToASCII(name);
  if (domain === '' || isIP(host)) return false;
  return host.endsWith(`.${domain}`) || (wildcard === undefined && host === domain);
}
