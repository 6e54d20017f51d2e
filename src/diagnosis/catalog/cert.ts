import type { CatalogEntry } from './entry.ts';

/** The serving certificate: what the endpoints serve, and the Secret that it comes from. */
export const certEntries = {
  'cert/self-generated': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate from {endpoints} is self-generated and valid only for localhost',
    cause:
      'Without --tls-cert-file and --tls-private-key-file, a server built with k8s.io/apiserver generates a self-signed certificate when it starts. The generated certificate is not valid for {host}, the name that kube-apiserver verifies.',
    fix: 'Mount the Secret with the serving certificate into the pods. Set --tls-cert-file and --tls-private-key-file of the extension API server to the mounted files. In an apisvc project, this command does both: `apisvc register`',
  },
  'cert/secret-missing': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Secret {namespace}/{secret} with the serving certificate does not exist',
    cause: 'The pods of the extension API server mount this Secret. Running pods keep their certificate, but new pods cannot start.',
    fix: 'In an apisvc project: `apisvc register`. Where cert-manager writes the Secret, read the log of its controller: `kubectl -n cert-manager logs deployment/cert-manager`. Otherwise, create it from a serving certificate and its private key: `kubectl -n {namespace} create secret tls {secret} --cert=tls.crt --key=tls.key`',
    explainedBy: ['service/namespace-terminating', 'cert-manager/not-ready'],
  },
  'cert/other-secret': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The pods use Secret {used}, but apisvc.yaml names Secret {wanted}',
    cause: 'spec.certificates.secretName in apisvc.yaml was changed after the API was registered.',
    fix: 'Change apisvc.yaml back, or apply the change: `apisvc register`',
  },
  'cert/secret-unreadable': {
    severity: 'error',
    hop: 'endpoint',
    title: 'Secret {namespace}/{secret} has no certificate in {certificateEntry}',
    cause: 'The extension API server cannot load its serving certificate from this Secret.',
    // The type of a Secret is immutable, and `create secret tls` supports only one type.
    fix: 'In an apisvc project: `apisvc register --only secrets --force-conflicts`. Otherwise, replace the Secret with one that contains a serving certificate and its private key: `kubectl -n {namespace} create secret generic {secret} --type={type} --from-file={certificateEntry}=tls.crt --from-file={keyEntry}=tls.key --dry-run=client -o yaml | kubectl apply -f -`',
  },
  'cert/rotation-interrupted': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'A rotation of the certificate of Service {namespace}/{service} was interrupted at step {number} of {steps}',
    cause:
      'The process that ran the rotation has ended. The API keeps working, but until the rotation is complete, kube-apiserver may trust both CAs, and pods may serve both certificates.',
    fix: 'In the project where the rotation began, continue it: `apisvc rotate`. To go back to the old certificate instead, unless cert-manager issues it: `apisvc rotate --abort`',
  },
  'cert/sub-path-mount': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'Pod {pod} mounts the Secret {namespace}/{secret} with subPath, and does not receive updates of the Secret',
    cause:
      'The kubelet updates mounted Secrets, except those mounted with subPath. After a renewal, the pod serves the old certificate until the pod is replaced.',
    fix: 'In the volumeMounts of the container, remove subPath and mount the whole Secret as a directory.',
  },
  'cert/secret-differs': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate from {endpoints} is not the one in the Secret {namespace}/{secret}',
    cause:
      'The certificate in the Secret was renewed, but the extension API server has not loaded it. The kubelet updates the mounted files within about two minutes. A server that does not watch these files must then be restarted.',
    fix: 'If a pod still serves the old certificate after two minutes, delete the pod, so that its controller creates a new one: `kubectl -n {namespace} delete pod {pod}`',
    explainedBy: ['cert/self-generated', 'cert/sub-path-mount', 'security/key-mismatch'],
  },
  'cert/unknown-authority': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate from {endpoints} is not signed by a CA in the caBundle (unknown authority)',
    cause: '{why}',
    causes:
      'The caBundle contains a different CA, or the CA was regenerated and the caBundle or the extension API server still uses the old one. Other possible reasons: the extension API server does not send the intermediate certificate, or some pods have not loaded the new certificate.',
    fix: 'In an apisvc project, update the caBundle: `apisvc register`. Otherwise, set spec.caBundle to the CA that signed the certificate. If only some pods serve an untrusted certificate, restart these pods.',
    explainedBy: [
      'cert/self-generated',
      'cert/secret-differs',
      'bundle/not-injected',
      'cert-manager/*',
      'registration/outdated-annotation',
    ],
  },
  'cert/issuer-not-a-ca': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The issuer of the certificate from {endpoints} is not a CA',
    cause:
      'The certificate of the issuer lacks basicConstraints CA:TRUE or the key usage keyCertSign (RFC 5280, sections 4.2.1.3 and 4.2.1.9).',
    fix: 'Regenerate the CA with basicConstraints CA:TRUE and the key usage keyCertSign. Issue a new serving certificate from it, and set spec.caBundle to the new CA.',
  },
  'cert/missing-intermediate': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate chain from {endpoints} lacks the intermediate certificate',
    cause:
      'An intermediate CA signed the serving certificate. The extension API server does not send the intermediate certificate, and the caBundle does not contain it.',
    fix: 'Put the whole chain into the certificate file of the extension API server (usually tls.crt): the serving certificate first, then every intermediate certificate.',
    explainedBy: ['cert/secret-differs'],
  },
  'cert/expired': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate from {endpoints} expired on {date}',
    cause: 'The serving certificate was not renewed, or the extension API server has not loaded the new one.',
    fix: 'Renew the serving certificate. In an apisvc project: `apisvc rotate`. Otherwise, use the tool that issued the certificate. If the Secret already contains a new certificate, restart the extension API server.',
    explainedBy: ['cert/secret-differs', 'cert-manager/not-ready', 'control-plane/clock-skew', 'control-plane/wrong-clock'],
  },
  'cert/not-yet-valid': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate from {endpoints} is not valid before {date}',
    cause: 'The clock of the host that issued the certificate is ahead, or the clock of the control plane is behind.',
    fix: 'Synchronize the clocks of the issuer and the control plane, then issue the certificate again.',
    explainedBy: ['cert/secret-differs', 'control-plane/clock-skew', 'control-plane/wrong-clock'],
  },
  'cert/ca-expired': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The CA {subject} expired on {date}',
    cause: 'When a CA expires, kube-apiserver rejects every certificate that the CA signed.',
    fix: 'Regenerate the CA and the serving certificate. In an apisvc project: `apisvc rotate --ca`. Otherwise, use the tool that issued the CA, and set spec.caBundle to the new CA.',
    explainedBy: ['control-plane/clock-skew', 'control-plane/wrong-clock'],
  },
  'cert/ca-not-yet-valid': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The CA {subject} is not valid before {date}',
    cause: 'The clock of the host that generated the CA is ahead, or the clock of the control plane is behind.',
    fix: 'Synchronize the clocks of both hosts, then regenerate the CA and the serving certificate.',
    explainedBy: ['control-plane/clock-skew', 'control-plane/wrong-clock'],
  },
  'cert/san-mismatch': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate from {endpoints} is not valid for {host}',
    cause:
      'kube-apiserver always verifies the name {host}, whatever address it connects to. The certificate does not contain this name. A server without a configured certificate generates one for localhost.',
    fix: 'Issue a serving certificate with the DNS name {host}, and pass it to the extension API server with --tls-cert-file and --tls-private-key-file.',
    explainedBy: ['cert/self-generated', 'cert/secret-differs', 'cert-manager/name-missing'],
  },
  'cert/common-name-only': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate from {endpoints} has no subject alternative name (SAN)',
    cause: 'kube-apiserver ignores the common name of a serving certificate. It verifies only the subject alternative names.',
    fix: 'Issue a certificate with the DNS name {host} as a subject alternative name.',
    explainedBy: ['cert/secret-differs'],
  },
  'cert/wrong-usage': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate from {endpoints} is not a serving certificate',
    cause: 'The extended key usage of the certificate does not include serverAuth (RFC 5280, section 4.2.1.12).',
    fix: 'Issue a certificate with the extended key usage serverAuth.',
    explainedBy: ['cert/secret-differs'],
  },
  'cert/name-constraints': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The name constraints of the CA {subject} do not permit the certificate from {endpoints}',
    cause: 'Name constraints limit the names for which a CA can issue certificates (RFC 5280, section 4.2.1.10).',
    fix: 'Issue the serving certificate from a CA whose name constraints permit every name in the certificate, or from a CA without name constraints.',
  },
  'cert/path-length': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate chain from {endpoints} has too many intermediate CAs below the CA {subject}',
    cause: 'The pathLenConstraint of a CA limits the number of intermediate CAs below it (RFC 5280, section 4.2.1.9).',
    fix: 'Issue the serving certificate from a chain with fewer intermediate CAs, or use a CA without a pathLenConstraint.',
  },
  'cert/weak-signature': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate {subject} from {endpoints} has an insecure signature ({algorithm})',
    cause: 'kube-apiserver does not accept certificates with MD5 or SHA-1 signatures.',
    fix: 'Issue the certificate again with a SHA-256, SHA-384 or SHA-512 signature.',
  },
  'cert/refused-key': {
    severity: 'error',
    hop: 'endpoint',
    title: 'The certificate {subject} from {endpoints} has a key that kube-apiserver does not accept ({algorithm})',
    cause: 'kube-apiserver does not accept RSA keys of less than 1024 bits.',
    fix: 'Issue the certificate again with an ECDSA P-256 key, or with an RSA key of at least 2048 bits.',
  },
  'cert/weak-key': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The certificate {subject} from {endpoints} has a weak key ({algorithm})',
    cause: 'RSA keys of less than 2048 bits are not secure. kube-apiserver rejects RSA keys of less than 1024 bits.',
    fix: 'Issue the certificate again with an ECDSA P-256 key, or with an RSA key of at least 2048 bits.',
    explainedBy: ['cert/secret-differs', 'cert/self-generated'],
  },
  'cert/expires-soon': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The certificate {subject} from {endpoints} expires on {date}',
    cause: 'The certificate has not been renewed yet, or the extension API server has not loaded the new one.',
    fix: 'Renew the certificate. In an apisvc project: `apisvc rotate`. Otherwise, use the tool that issued the certificate. If the extension API server does not watch its certificate files, restart it.',
    explainedBy: ['bundle/expires-soon', 'cert/secret-differs', 'cert/sub-path-mount', 'cert/self-generated', 'cert/ca-expired'],
  },
  'cert/not-project-certificate': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The certificate from {endpoints} is not the one of the apisvc project',
    cause:
      'The serving certificate of the project was replaced without applying the project, or someone changed the Secret, or the pods have not loaded the new certificate.',
    fix: 'To use the certificate of the project, apply the project: `apisvc register`. To keep the certificate that is served, restore certs/tls.crt and certs/tls.key of the project.',
    fixes:
      'Where the certificate was rotated in another copy of the project, get certs/ of that copy, for example: `git pull`. Otherwise, to use the certificate of the project, apply the project: `apisvc register`. To keep the certificate that is served, restore certs/tls.crt and certs/tls.key of the project.',
    outdated: {
      cause: 'The certificate was rotated in another copy of the project. This copy still has the old certificate.',
      fix: 'Get the current certs/ from the copy of the project in which the certificate was rotated, for example: `git pull`',
    },
    explainedBy: ['bundle/not-project-ca', 'cert/secret-differs', 'cert/sub-path-mount', 'cert/self-generated', 'cert/unknown-authority'],
  },
  'cert/ca-expires-before-leaf': {
    severity: 'warning',
    hop: 'endpoint',
    title: 'The CA {subject} expires on {date}, before the certificate from {endpoints}',
    cause: 'When a CA expires, kube-apiserver rejects every certificate that the CA signed, even if that certificate has not expired.',
    fix: 'Before {date}, renew the CA and the serving certificate. In an apisvc project: `apisvc rotate --ca`. Otherwise, use the tool that issued the CA.',
    explainedBy: ['bundle/expires-soon', 'cert/expires-soon', 'cert/ca-expired'],
  },
} as const satisfies Readonly<Record<string, CatalogEntry>>;
