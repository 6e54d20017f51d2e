import { type IssuerSettingKey, issuerFlags, issuerSettingKeys, issuerSettings, issuerTypes } from '../config/issuer-flags.ts';
import type { IssuerType } from '../config/schema-certificates.ts';
import { UsageError } from '../errors.ts';
import type { CaFlags } from './ca-flags.ts';

/** The flags of `init` that choose an issuer and its settings. */
export interface IssuerFlags extends CaFlags, Readonly<Partial<Record<IssuerSettingKey, string>>> {
  readonly issuer?: IssuerType;
  readonly nameConstraints: boolean;
}

/** The issuer that the flags select; undefined leaves the one of the preset. */
export const selectedIssuer = (flags: IssuerFlags): IssuerType | undefined =>
  flags.issuer ??
  issuerTypes.find((type) => {
    const { selectedBy } = issuerFlags[type];
    return selectedBy !== undefined && flags[selectedBy] !== undefined;
  });

/**
 * Checks that the flags go together: each setting belongs to one issuer.
 * @throws UsageError that names the flags
 */
export function checkIssuerFlags(flags: IssuerFlags): void {
  const { issuer, caCert, caKey, nameConstraints } = flags;
  if (issuer !== undefined && issuer !== 'ca' && (caCert !== undefined || caKey !== undefined))
    throw new UsageError(`--issuer ${issuer} cannot be used with --ca-cert`, { fix: 'Remove --issuer, or remove --ca-cert and --ca-key.' });
  if (issuer === 'ca' && caCert === undefined && caKey === undefined) throw missing('ca', issuerFlags.ca.needed);
  const type = selectedIssuer(flags) ?? 'self-signed';
  refuseOtherSettings(flags, type);
  if (type !== 'self-signed' && !nameConstraints) throw noEffect('--no-name-constraints', caCert, type);
  if (flags.issuerKind !== undefined && flags.issuerRef === undefined)
    throw new UsageError('--issuer-kind needs --issuer-ref', { fix: 'Add --issuer-ref NAME.' });
  if (type !== 'csr') return;
  if (flags.signer === undefined) throw missing('csr', '--signer NAME');
  if ((flags.caBundle === undefined) === (flags.clusterTrustBundle === undefined))
    throw new UsageError('--issuer csr needs either --ca-bundle or --cluster-trust-bundle', {
      fix: 'Pass exactly one of --ca-bundle FILE and --cluster-trust-bundle NAME.',
    });
}

const missing = (type: IssuerType, needed: string): UsageError =>
  new UsageError(`--issuer ${type} needs ${needed}`, { fix: `Add ${needed}.` });

function refuseOtherSettings(flags: IssuerFlags, type: IssuerType): void {
  for (const key of issuerSettingKeys) {
    const { flag, types }: { readonly flag: string; readonly types: readonly IssuerType[] } = issuerSettings[key];
    if (flags[key] === undefined || types.includes(type)) continue;
    if (key === 'caLifetime') throw noEffect(withNameConstraints(flags), flags.caCert, type);
    throw new UsageError(`${flag} needs --issuer ${types.join(' or --issuer ')}`, { fix: `Add --issuer ${types[0]}, or remove ${flag}.` });
  }
}

const withNameConstraints = ({ nameConstraints }: IssuerFlags): string =>
  nameConstraints ? '--ca-lifetime' : '--ca-lifetime and --no-name-constraints';

/** Flags about a CA that apisvc makes have no effect on another one. */
function noEffect(flags: string, caCert: string | undefined, type: IssuerType): UsageError {
  const have = flags.includes(' and ') ? 'have' : 'has';
  const why = caCert === undefined ? `--issuer ${type}: apisvc creates no CA` : '--ca-cert: the CA already exists';
  return new UsageError(`${flags} ${have} no effect with ${why}`, { fix: `Remove ${flags}.` });
}
