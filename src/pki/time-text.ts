/**
 * A time to the second, as Kubernetes writes times. Certificates have no fractions of a second
 * (RFC 5280 4.1.2.5.2).
 * @param time ISO 8601, UTC
 */
export const timeText = (time: string): string => time.replace(/\.\d+Z$/, 'Z');
