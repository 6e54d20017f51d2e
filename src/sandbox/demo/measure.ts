import { availableParallelism, freemem, hostname, loadavg, totalmem, uptime } from 'node:os';
import type { Api } from '../../config/schema.ts';
import { timestamp } from '../shared/timestamp.ts';

/** The machine that the server runs on, as an object of its API: measured when it is asked for and kept nowhere. */
export interface Host {
  readonly apiVersion: string;
  readonly kind: 'Host';
  readonly metadata: { readonly name: string };
  /** When it was measured. */
  readonly timestamp: string;
  readonly capacity: { readonly cpu: string; readonly memory: string };
  readonly usage: { readonly memory: string };
  readonly free: { readonly memory: string };
  /** How many processes wanted a CPU, on average. Always 0 on Windows, which does not count them. */
  readonly load: { readonly oneMinute: string; readonly fiveMinutes: string; readonly fifteenMinutes: string };
  readonly uptime: string;
}

/** Measures this machine. Amounts are Kubernetes quantities (k8s.io/apimachinery/pkg/api/resource), the uptime is a metav1.Duration. */
export function measure({ group, version }: Pick<Api, 'group' | 'version'>, now: Date): Host {
  const [total, free] = [totalmem(), freemem()];
  const [oneMinute = '', fiveMinutes = '', fifteenMinutes = ''] = loadavg().map((load) => load.toFixed(2));
  return {
    apiVersion: `${group}/${version}`,
    kind: 'Host',
    metadata: { name: objectName(hostname()) },
    timestamp: timestamp(now),
    capacity: { cpu: String(availableParallelism()), memory: memoryQuantity(total) },
    usage: { memory: memoryQuantity(total - free) },
    free: { memory: memoryQuantity(free) },
    load: { oneMinute, fiveMinutes, fifteenMinutes },
    uptime: duration(Math.floor(uptime())),
  };
}

/** A host's name as Kubernetes takes it for an object's: labels of small letters, digits and dashes (RFC 1123). */
export const objectName = (host: string): string => {
  const labels = host.toLowerCase().split('.');
  const plain = labels.map((label) => label.replace(/[^a-z0-9-]+/g, '-').replace(/^-+|-+$/g, '')).filter((label) => label !== '');
  return plain.join('.') || 'host';
};

const suffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;

/** An amount of memory in its canonical form: the largest binary suffix that leaves a whole number. @param bytes - a whole number */
export function memoryQuantity(bytes: number): string {
  let [amount, power] = [bytes, 0];
  while (amount > 0 && amount % 1024 === 0 && power < suffixes.length - 1) [amount, power] = [amount / 1024, power + 1];
  return `${amount}${suffixes[power]}`;
}

/** As Go writes a time.Duration: `52h13m9s`. */
export function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return `${hours > 0 ? `${hours}h` : ''}${seconds >= 60 ? `${minutes}m` : ''}${seconds % 60}s`;
}
