/** Fixes of several findings in files: how to renew certificates. */

export const renewInFiles =
  'Renew the CA and the serving certificate with the tool that issued them, and update spec.caBundle in {file}:{line}.';

const otherwise = 'Otherwise, create a new CA and a new serving certificate: `apisvc init --force-keys`';
export const renewInProject = `If the API is registered, replace the CA while the API keeps serving: \`apisvc rotate --ca\`. ${otherwise}`;
export const renewLeafInProject = `If the API is registered, replace the certificate while the API keeps serving: \`apisvc rotate\`. ${otherwise}`;
