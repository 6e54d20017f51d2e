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
    uptime: `${Math.floor(uptime())}s`,
  };
}

/** The name of a host as a valid object name: a DNS subdomain (RFC 1123). */
export const objectName = (host: string): string => {
  const labels = host.toLowerCase().split('.');
  const plain = labels.map((label) => label.replace(/[^a-z0-9-]+/g, '-').replace(/^-+|-+$/g, '')).filter((label) => label !== '');
  return plain.join('.') || 'host';
};

const memoryQuantity = (bytes: number): string => `${Math.floor(bytes / 1024)}Ki`;
