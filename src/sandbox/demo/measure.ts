import { availableParallelism, freemem, hostname, loadavg, totalmem, uptime } from 'node:os';
import { timestamp } from '../shared/timestamp.ts';
import type { GroupVersion } from './flags.ts';

/**
 * Measures this host, as an object of the API. Amounts are Kubernetes quantities
 * (k8s.io/apimachinery/pkg/api/resource), the uptime is a metav1.Duration. The load is 0 on
 * Windows.
 */
export function measure({ group, version }: GroupVersion, now: Date) {
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

/** The name of a host as a valid object name: a DNS subdomain (RFC 1123). */
export const objectName = (host: string): string => {
  const labels = host.toLowerCase().split('.');
  const plain = labels.map((label) => label.replace(/[^a-z0-9-]+/g, '-').replace(/^-+|-+$/g, '')).filter((label) => label !== '');
  return plain.join('.') || 'host';
};

const suffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi'] as const;

/** A canonical quantity: the largest binary suffix without a fraction. @param bytes an integer */
export function memoryQuantity(bytes: number): string {
  let [amount, power] = [bytes, 0];
  while (amount > 0 && amount % 1024 === 0 && power < suffixes.length - 1) [amount, power] = [amount / 1024, power + 1];
  return `${amount}${suffixes[power]}`;
}

/** Formats seconds as Go formats a time.Duration: `52h13m9s`. */
export function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60)];
  return `${hours > 0 ? `${hours}h` : ''}${seconds >= 60 ? `${minutes}m` : ''}${seconds % 60}s`;
}
