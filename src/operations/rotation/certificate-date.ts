import type { CertificateInfo } from '../../pki/types.ts';

/** `CN=api.wardle.svc (SHA-256 AB:CD:…, expires on 2027-11-28)`, for messages. */
export const certificateDate = ({ subject, dnsNames, fingerprint, notAfter }: CertificateInfo): string =>
  `${subject || dnsNames[0]} (SHA-256 ${fingerprint.slice(0, 23)}..., expires on ${notAfter.slice(0, 10)})`;
