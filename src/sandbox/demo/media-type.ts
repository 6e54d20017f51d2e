/** What kubectl asks for to print columns (k8s.io/apimachinery/pkg/apis/meta/v1, Table). */
export const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io';
/** What kube-apiserver asks extension servers for (k8s.io/client-go/discovery, AcceptV2). */
export const groupDiscoveryType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** A media type and its parameters in one order; without its weight. */
const parts = (mediaType: string): string =>
  mediaType
    .split(';')
    .map((part) => part.trim().toLowerCase())
    .filter((part) => !part.startsWith('q='))
    .sort()
    .join(';');

/** Whether a client would rather have this form of JSON than the plain one: it is named first in the Accept header. */
export function prefers(accept: string | undefined, mediaType: string): boolean {
  const wanted = (accept ?? '').split(',').map(parts);
  return wanted.find((each) => each === parts(mediaType) || each === 'application/json' || each === '*/*') === parts(mediaType);
}
