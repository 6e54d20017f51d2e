import { MachineError, UsageError } from '../errors.ts';
import { ipBytes, ipText } from '../pki/ip.ts';

/** An address to listen on. */
export interface ListenAddress {
  /** Undefined for all addresses. */
  readonly host: string | undefined;
  readonly port: number;
}

/** Parses `:8080`, `127.0.0.1:8080` or `[::1]:8080`. @returns undefined for another text */
export function parseListen(text: string): ListenAddress | undefined {
  const [, six, other, digits = ''] = /^(?:\[([\da-f:.]+)\]|([^:[\]/\s]*)):(\d{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  if (digits === '' || port > 65_535) return undefined;
  return { host: six ?? (other || undefined), port };
}

/** As it was given. */
export const describeListen = ({ host = '', port }: ListenAddress): string => `${host.includes(':') ? `[${host}]` : host}:${port}`;

/** 127.0.0.0/8 or ::1. */
function isLoopback(address: string): boolean {
  const bytes = ipBytes(address);
  return bytes !== undefined && /^(127\..*|::1)$/.test(ipText(bytes));
}

/**
 * Decides by the Host header which requests a server answers. One that listens on loopback only
 * answers under local names: the page of another site can reach it under a name of that site (DNS
 * rebinding), but cannot change the header. `kubectl proxy` has the same rule
 * (k8s.io/kubectl/pkg/proxy, DefaultHostAcceptRE).
 * @param address as it was given
 * @param bound the IP address behind it
 */
export function hostFilter({ host: given }: ListenAddress, bound: string): (header: string | undefined) => boolean {
  if (!isLoopback(bound)) return () => true;
  return (header = '') => {
    const [, six, other = ''] = /^(?:\[([^[\]]*)\]|([^:[\]]*))(?::\d+)?$/.exec(header.toLowerCase()) ?? [];
    const host = six ?? other;
    return host === 'localhost' || host === given?.toLowerCase() || isLoopback(host);
  };
}

const otherAddress = 'Choose another address with --listen, for example --listen 127.0.0.1:8081.';

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is already in use',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name lookup failed',
};

/** The error for an address that cannot be listened on. */
export function listenError(address: ListenAddress, cause: NodeJS.ErrnoException): UsageError | MachineError {
  const reason = reasons[cause.code ?? ''];
  const message = `failed to listen on ${describeListen(address)}: ${reason ?? cause.message}`;
  return reason === undefined ? new MachineError(message, { cause }) : new UsageError(message, { fix: otherAddress, cause });
}
