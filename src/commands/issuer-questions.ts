import { issuerTypes } from '../config/issuer-flags.ts';
import { responsibilities } from '../config/responsibilities.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import type { IssuerFlags } from './issuer-choice.ts';
import type { Question, Terminal } from './terminal.ts';

/** The answers, as the flags that give the same answers. */
export type IssuerAnswers = Pick<IssuerFlags, 'issuer' | 'caCert' | 'caKey' | 'signer' | 'caBundle'>;

const issuerQuestion: Question = {
  message: 'Issuer of the serving certificate',
  why: 'The issuer determines who renews the certificate and who writes the caBundle. See docs/issuers.md.',
  flag: '--issuer TYPE',
  // Nobody turns verification off by a key too many. The flag does it.
  choices: issuerTypes.filter((type) => type !== 'insecure').map((value) => ({ value, description: responsibilities[value].meaning })),
};

const notEmpty = (answer: string): string | undefined => (answer.trim() === '' ? 'must not be empty' : undefined);

const caCertQuestion: Question = {
  message: 'Certificate of your CA (file)',
  why: 'The certificate becomes the caBundle. The file can also contain intermediate CAs.',
  flag: '--ca-cert FILE',
  fault: notEmpty,
};

const caKeyQuestion: Question = {
  message: 'Private key of your CA (file)',
  why: 'This key signs the serving certificate. apisvc does not copy the key to the project.',
  flag: '--ca-key FILE',
  fault: notEmpty,
};

const signerQuestion: Question = {
  message: 'Name of the signer',
  why: 'apisvc sets spec.signerName of the CertificateSigningRequest to this name, for example example.com/serving.',
  flag: '--signer NAME',
  fault: notEmpty,
};

const caBundleQuestion: Question = {
  message: 'CA certificates of the signer (file)',
  why: 'These certificates become the caBundle. To use a ClusterTrustBundle instead, pass --cluster-trust-bundle.',
  flag: '--ca-bundle FILE',
  fault: notEmpty,
};

/** Prompts for the issuer and for what it needs, unless flags tell. */
export async function askAboutIssuer(flags: IssuerFlags, { ask }: Pick<Terminal, 'ask'>): Promise<IssuerAnswers> {
  if (flags.issuer !== undefined || flags.caCert !== undefined) return {};
  const issuer = (await ask(issuerQuestion)) as IssuerType;
  // The default needs no flag.
  if (issuer === 'self-signed') return {};
  if (issuer === 'ca') return { caCert: await ask(caCertQuestion), caKey: await ask(caKeyQuestion) };
  if (issuer === 'csr') return { issuer, signer: await ask(signerQuestion), caBundle: await ask(caBundleQuestion) };
  return { issuer };
}
